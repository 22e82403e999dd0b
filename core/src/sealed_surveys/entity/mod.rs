//! Rows of anonymous surveys (survey protocol §6). The tables of the box hold no person and no time, and nothing in them leads
//! to the tables of the roll; `core/tests/contracts/sealed_schema.rs` watches over it.

pub mod ballot_boxes;
pub mod box_files;
pub mod checkpoints;
pub mod devices;
pub mod entries;
pub mod issuance;
pub mod log;
pub mod roll;
pub mod rows;
pub mod sealed_surveys;
