//! From counts to a score: versioned formulas, each said in words on the sheet and worked out again from the counts.
//!
//! Everything is exact until it is shown: then two decimals, half up. A formula that changes becomes a new version; a
//! sheet names the one it was made with, so that it can be made again.

mod exact;
mod formula;
mod grades;
mod rules;
mod scales;

pub use exact::{Exact, Hundredths, Share, share_of};
pub use formula::{FORMULAS, Formula, FormulaName, mean};
pub use grades::{GradeThresholds, grade, is_quorum_reached};
pub use rules::{BadRules, GroupWeight, Rules};
pub use scales::{Rate, Scale};
