//! The protocol from end to end, without web and database: issue, cast, close, count, publish, verify.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

mod ballot;
mod checkpoint;
mod counting;
mod outer;
mod published;
mod reading;
mod survey;
mod tampering;
