use base64::{Engine as _, prelude::BASE64_STANDARD};
use qingfeng_ballots::{Hex, log::Note};

use super::WitnessRefusal;

/// More hashes no proof has (C2SP tlog-witness).
const MOST_HASHES: usize = 63;

/// `old N`, the consistency proof line by line, an empty line, the signed note.
#[derive(Debug)]
pub struct AddCheckpoint {
    pub old_size: u64,
    pub proof: Vec<Hex<32>>,
    pub note: Note,
}

impl AddCheckpoint {
    /// # Errors
    /// When the bytes have another form.
    pub fn parse(bytes: &[u8]) -> Result<Self, WitnessRefusal> {
        let malformed = || WitnessRefusal::Malformed;
        let text = std::str::from_utf8(bytes).map_err(|_| malformed())?;
        let (head, note) = text.split_once("\n\n").ok_or_else(malformed)?;
        let mut lines = head.split('\n');
        let size = lines.next().and_then(|line| line.strip_prefix("old ")).ok_or_else(malformed)?;
        let old_size: u64 = size.parse().map_err(|_| malformed())?;
        if old_size.to_string() != size {
            return Err(malformed());
        }
        let proof = lines
            .map(|line| BASE64_STANDARD.decode(line).ok().and_then(|hash| Hex::try_from(hash.as_slice()).ok()))
            .collect::<Option<Vec<_>>>()
            .filter(|proof| proof.len() <= MOST_HASHES)
            .ok_or_else(malformed)?;
        let note = Note::from_bytes(note.as_bytes()).map_err(|_| malformed())?;
        Ok(Self { old_size, proof, note })
    }

    /// The request's bytes, as the platform sends them.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("old {}\n", self.old_size).into_bytes();
        for hash in &self.proof {
            bytes.extend_from_slice(BASE64_STANDARD.encode(hash.as_slice()).as_bytes());
            bytes.push(b'\n');
        }
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.note.to_bytes());
        bytes
    }
}
