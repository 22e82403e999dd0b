//! One suite for every engine of every port: SQLite and PostgreSQL, in-process and Redis.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

mod cache;
mod calendar;
mod campaigns;
mod engines;
mod files;
mod indexes;
mod migrations;
mod object_storage;
mod sealed_schema;
mod session;
mod storage;
