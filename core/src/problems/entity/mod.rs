//! Rows of problems.

pub mod complaints;
pub mod problems;
