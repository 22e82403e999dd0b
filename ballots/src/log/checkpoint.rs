use std::collections::BTreeSet;

use signed_note::{Note, StandardVerifier, Verifier, VerifierList};

use crate::{Hex, messages::readable_code};

/// State of the log at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub size: u64,
    pub root: Hex<32>,
}

impl Checkpoint {
    /// What is posted in the village group.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint { code: readable_code(&self.root, 12), size: self.size }
    }
}

/// 票箱指纹: twelve characters of the root, and the size. Who keeps the post can later show that the log was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    pub code: String,
    pub size: u64,
}

impl Fingerprint {
    /// The sentence for the group.
    #[must_use]
    pub fn sentence(&self) -> String {
        format!("票箱指纹 {self}")
    }

    /// Reads it out of a post: the twelve characters in groups of four, a stroke, the size.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (code, size) = text.strip_prefix("票箱指纹").unwrap_or(text).trim().split_once('/')?;
        let code: String = code.chars().filter(|character| !matches!(character, '-' | ' ')).collect();
        let known = |character: char| {
            character.is_ascii_digit() || (character.is_ascii_uppercase() && !"ILOU".contains(character))
        };
        (code.len() == 12 && code.chars().all(known)).then_some(())?;
        Some(Self { code, size: size.trim().parse().ok()? })
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-{}-{}/{}", &self.code[..4], &self.code[4..8], &self.code[8..], self.size)
    }
}

/// The text of a checkpoint (C2SP tlog-checkpoint): origin, size, root; no time.
///
/// # Errors
/// When the origin is empty or has a line break.
pub fn checkpoint_text(origin: &str, checkpoint: &Checkpoint) -> Result<Vec<u8>, CheckpointError> {
    if origin.contains('\n') {
        return Err(CheckpointError::Malformed);
    }
    let root = tlog_tiles::tlog::Hash(checkpoint.root.0);
    tlog_tiles::Checkpoint::new(origin, checkpoint.size, root, "")
        .map(|text| text.to_bytes())
        .map_err(|_| CheckpointError::Malformed)
}

/// Why a note is not a checkpoint to rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    #[error("not a signed note around a checkpoint")]
    Malformed,
    #[error("a checkpoint of another log")]
    ForeignOrigin,
    #[error("a known key's signature does not verify")]
    BadSignature,
    #[error("platform, co-signer and a witness have not all signed")]
    NoQuorum,
}

/// The keys that the reader trusts: pinned in the app, printed on the poster, never taken from the bundle.
pub struct Pinned {
    platform: String,
    cosigner: String,
    witnesses: Vec<String>,
    keys: VerifierList,
}

/// Why a list of keys cannot be pinned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinnedError {
    #[error("line {0} is not «platform|cosigner|witness KEY»")]
    Line(usize),
    #[error("one platform, one co-signer and at least one witness are needed")]
    Incomplete,
    #[error("a name or a key stands twice")]
    Repeated,
}

impl Pinned {
    /// Reads lines of `platform KEY`, `cosigner KEY`, `witness KEY`; empty lines and lines after `#` are comments.
    ///
    /// # Errors
    /// When a line is no key, a role is missing, or somebody stands in two roles.
    pub fn parse(text: &str) -> Result<Self, PinnedError> {
        let (mut platform, mut cosigner, mut witnesses) = (None, None, Vec::new());
        let mut verifiers: Vec<Box<dyn Verifier>> = Vec::new();
        let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = PinnedError::Line(index + 1);
            let (role, key) = line.split_once(' ').ok_or(wrong.clone())?;
            let verifier = StandardVerifier::new(key.trim()).map_err(|_| wrong.clone())?;
            let name = verifier.name().to_owned();
            let bytes = key.rsplit('+').next().unwrap_or_default().to_owned();
            if !names.insert(name.clone()) || !keys.insert(bytes) {
                return Err(PinnedError::Repeated);
            }
            match role {
                "platform" if platform.is_none() => platform = Some(name),
                "cosigner" if cosigner.is_none() => cosigner = Some(name),
                "witness" => witnesses.push(name),
                _ => return Err(wrong),
            }
            verifiers.push(Box::new(verifier));
        }
        match (platform, cosigner, witnesses.is_empty()) {
            (Some(platform), Some(cosigner), false) => {
                Ok(Self { platform, cosigner, witnesses, keys: VerifierList::new(verifiers) })
            }
            _ => Err(PinnedError::Incomplete),
        }
    }

    /// Reads a checkpoint of this log that platform, co-signer and at least one witness have signed. Unknown signers are
    /// ignored; a known signer's bad signature spoils the note.
    ///
    /// # Errors
    /// Why it is not to be relied on.
    pub fn read(&self, note: &[u8], origin: &str) -> Result<Checkpoint, CheckpointError> {
        let note = Note::from_bytes(note).map_err(|_| CheckpointError::Malformed)?;
        let text = tlog_tiles::Checkpoint::from_bytes(note.text()).map_err(|_| CheckpointError::Malformed)?;
        if text.origin() != origin {
            return Err(CheckpointError::ForeignOrigin);
        }
        let (known, _) = note.verify(&self.keys).map_err(|error| match error {
            signed_note::NoteError::InvalidSignature { .. } => CheckpointError::BadSignature,
            signed_note::NoteError::UnverifiedNote => CheckpointError::NoQuorum,
            _ => CheckpointError::Malformed,
        })?;
        let signed = |name: &String| known.iter().any(|signature| signature.name() == name);
        if signed(&self.platform) && signed(&self.cosigner) && self.witnesses.iter().any(signed) {
            Ok(Checkpoint { size: text.size(), root: Hex(text.hash().0) })
        } else {
            Err(CheckpointError::NoQuorum)
        }
    }
}

impl std::fmt::Debug for Pinned {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { platform, cosigner, witnesses, .. } = self;
        write!(formatter, "Pinned({platform}, {cosigner}, {witnesses:?})")
    }
}
