//! The rows of sealed reports, and of the keys that they are sealed to.

pub mod keys;
pub mod parts;
pub mod reports;
