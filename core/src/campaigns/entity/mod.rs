//! Rows of the campaign tables.

pub mod campaigns;
pub mod duties;
pub mod schedule;
