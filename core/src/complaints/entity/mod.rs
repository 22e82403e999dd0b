//! Rows of complaints.

pub mod complaints;
pub mod entries;
pub mod joint_units;
pub mod ratings;
pub mod reporters;
