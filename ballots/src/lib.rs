//! Anonymous surveys and ratings, protocol "bbk1": what both authorities, the residents' apps and every verifier share. And the
//! envelope of sealed reports, which is made of the same parts.
//!
//! No web, no database, no clock, and randomness from outside. `docs/decisions/0006-anonymous-surveys.md` says what is
//! promised, to whom, and what is not.

pub mod answers;
pub mod ballot;
pub mod blind;
pub mod bundle;
pub mod canonical;
pub mod close;
pub mod closing;
pub mod codes;
pub mod count;
pub mod envelope;
mod hex_bytes;
pub mod log;
pub mod manifest;
pub mod messages;
pub mod outer;
pub mod publication;
pub mod randomness;
pub mod reports;
pub mod verification;
pub mod voter;

#[cfg(test)]
mod testing;

pub use hex_bytes::Hex;
