//! What must stand nowhere, or nowhere together.

use aho_corasick::AhoCorasick;
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use qingfeng_ballots::canonical::canonical;

use super::{
    collecting::Dump,
    voting::{Polled, Resident},
};

/// A mark and whose it is.
#[derive(Clone)]
struct Mark {
    bytes: Vec<u8>,
    says: String,
}

/// Marks to look for.
pub struct Marks(Vec<Mark>);

impl Marks {
    /// Everything of a ballot that only its owner may know before the count: key, credentials, answers, their hashes.
    pub fn of_answers(polled: &[Polled]) -> Self {
        let mut marks = Vec::new();
        for (number, vote) in polled.iter().flat_map(|polled| polled.votes.iter().enumerate()) {
            let ballot = &vote.ballot;
            let numbers: [(&str, &[u8]); 8] = [
                ("ballot key", &ballot.pk.0),
                ("signature", &ballot.sig.0),
                ("prefix", &ballot.pa.0),
                ("co-signer's prefix", &ballot.pb.0),
                ("credential", &ballot.sa.0),
                ("co-signer's credential", &ballot.sb.0),
                ("row hash", &ballot.row_hash().0),
                ("answers' hash", &ballot.ans.hash().0),
            ];
            for (what, bytes) in numbers {
                let says = format!("{what} of {number}");
                marks.extend(spellings(bytes).map(|bytes| Mark { bytes, says: says.clone() }));
            }
            let answers = canonical(&ballot.ans);
            let spaced = String::from_utf8(answers.clone()).unwrap().replace(':', ": ").replace(',', ", ");
            for bytes in [answers, spaced.into_bytes()] {
                marks.push(Mark { bytes, says: format!("answers of {number}") });
            }
        }
        Self(marks)
    }

    /// What a phone and a proxy tell of somebody, and nobody asked.
    pub fn of_connections(residents: &[Resident]) -> Self {
        let marks = residents.iter().flat_map(|resident| [&resident.agent, &resident.forwarded]);
        Self(marks.map(|mark| Mark { bytes: mark.clone().into_bytes(), says: mark.clone() }).collect())
    }

    /// By what a resident is known, on the way to a credential too.
    fn of_persons(residents: &[Resident], polled: &[Polled]) -> Self {
        let mut marks = Vec::new();
        for (number, resident) in residents.iter().enumerate() {
            let asked =
                polled.iter().flat_map(|polled| polled.votes[number].req_hashes.map(|hash| hex::encode(hash.0)));
            let device = hex::encode(resident.device.verifying_key().to_bytes());
            let known = [
                resident.id.0.to_string(),
                resident.id.0.simple().to_string(),
                resident.open_id.to_lowercase(),
                resident.name.clone(),
                resident.agent.to_lowercase(),
                resident.forwarded.clone(),
                hex::encode(resident.commitment.0),
                device,
            ];
            let known = known.into_iter().chain(asked);
            marks.extend(known.map(|known| Mark { says: known.clone(), bytes: known.into_bytes() }));
        }
        Self(marks)
    }

    /// What lies in the box or came out of it.
    fn of_the_box(polled: &[Polled]) -> Self {
        let mut marks = Vec::new();
        for vote in polled.iter().flat_map(|polled| &polled.votes) {
            let own = [vote.tag, vote.ballot.pk, vote.ballot.row_hash()];
            let hashes = own.into_iter().chain(vote.envelopes.iter().copied()).map(|hash| hex::encode(hash.0));
            marks.extend(hashes.map(|hash| Mark { says: hash.clone(), bytes: hash.into_bytes() }));
        }
        Self(marks)
    }

    fn searcher(&self) -> AhoCorasick {
        AhoCorasick::new(self.0.iter().map(|mark| &mark.bytes)).unwrap()
    }

    /// Where one of them stands in anything that was collected.
    pub fn found_in(&self, dump: &Dump) -> Vec<String> {
        let searcher = self.searcher();
        let find = |(name, bytes): &(String, Vec<u8>)| {
            let found = searcher.find(bytes)?;
            Some(format!("{name}: {}", self.0[found.pattern().as_usize()].says))
        };
        dump.bytes.iter().filter_map(find).collect()
    }
}

fn spellings(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let base64 = BASE64_STANDARD_NO_PAD.encode(bytes);
    // The last character depends on what follows.
    let url_safe = base64.replace('+', "-").replace('/', "_");
    let text = [hex::encode(bytes), hex::encode_upper(bytes), base64[..40].into(), url_safe[..40].into()];
    std::iter::once(bytes.to_vec()).chain(text.map(String::into_bytes))
}

/// Rows, lines of logs and entries of Redis in which a person stands beside something of the box.
pub fn side_by_side(dump: &Dump, residents: &[Resident], polled: &[Polled]) -> Vec<String> {
    let (persons, of_the_box) = (Marks::of_persons(residents, polled), Marks::of_the_box(polled));
    let (persons, of_the_box) = (persons.searcher(), of_the_box.searcher());
    let rows = dump.rows.iter().map(|row| (&row.table, row.text()));
    let entries = dump.entries.iter().map(|(name, text)| (name, text.clone()));
    let both =
        |(name, text): (&String, String)| (persons.is_match(&text) && of_the_box.is_match(&text)).then(|| name.clone());
    rows.chain(entries).filter_map(both).collect()
}
