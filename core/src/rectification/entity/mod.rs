//! Rows of rectification items.

pub mod affected;
pub mod entries;
pub mod joint_units;
pub mod measures;
pub mod participation;
pub mod problems;
pub mod rectifications;
pub mod tallies;
