//! 联署人: the second authority of anonymous surveys (protocol bbk1), and the witness.
//!
//! The co-signer keeps a roll, keys and a database of its own, on a machine of its own. It signs ballot keys blindly for
//! those whom *its* roll names, co-signs the public log, keeps the key of the box, and counts. It never learns who
//! threw which envelope, nor when. `docs/cosigner.md` is the operator's page.

pub mod authority;
pub mod cli;
pub mod clock;
pub mod config;
pub mod fault;
pub mod http;
pub mod keys;
pub mod paper;
mod print;
pub mod randomness;
pub mod roll;
mod sealing;
mod server;
pub mod storage;
pub mod surveys;
pub mod verifier_keys;
pub mod witness;

pub use authority::Authority;
pub use config::Settings;
pub use server::Cosigner;
