//! The co-signer and the witness, over HTTP, on both databases. The platform and the phones are played by the tests with
//! the protocol's library and keys of their own.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

mod actors;
mod agreement;
mod cosigning;
mod counting;
mod enrolment;
mod hostile;
mod log;
mod paper;
mod schema;
mod support;
mod witness;
