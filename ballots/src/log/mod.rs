//! The public log: an RFC 6962 tree whose checkpoints are signed by a quorum and posted where everybody can keep them.

mod checkpoint;
mod key;
mod leaf;
mod tree;

pub use checkpoint::{Checkpoint, CheckpointError, Fingerprint, Pinned, PinnedError, checkpoint_text};
pub use key::LogKey;
pub use leaf::Leaf;
pub use signed_note::{Note, Signer, StandardSigner};
pub use tree::{Tree, is_consistent, is_included};
