//! Doing: loading plans, opening what falls due, handing in.

mod duties;
mod loading;
mod owners;
mod scheduling;

pub use duties::{complete_duty, open_case, open_coming_duties};
pub use loading::{LoadOutcome, load_plan};
pub(in crate::campaigns) use owners::Establishment;
pub use owners::Vacancy;
pub use scheduling::scheduled_run_done;
