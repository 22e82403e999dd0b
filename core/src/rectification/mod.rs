//! Rectification items 整改事项 (3.2–3.5): goal, measures, public commitment, work with evidence, and the verdict of those
//! whom it affects.

pub mod entity;
pub mod queries;
mod refusals;
pub mod service;
mod state;
mod verdict;

pub use refusals::RectificationRefusal;
pub use state::{Act, Context, Event, Pace, State, apply, may_close};
pub use verdict::{SMALLEST_SHOWN, Tally, Threshold, Verdict};
