//! One suite for every engine of every port: SQLite and PostgreSQL, in-process and Redis.

mod cache;
mod calendar;
mod campaigns;
mod engines;
mod storage;
