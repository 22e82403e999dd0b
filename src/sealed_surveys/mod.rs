//! The life of anonymous surveys between the platform's own steps: what goes over the wire to co-signer and witness.

mod life;
mod own_cosigner;
mod preparing;
mod quorum;

pub use life::{advance, advance_all, keep_going};
pub use own_cosigner::OwnCosigner;
pub use preparing::{PreparedBox, prepare};
pub use quorum::Quorum;
