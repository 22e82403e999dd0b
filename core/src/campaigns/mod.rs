//! Campaigns (专项行动) as data (4.1): a plan file says what a campaign asks for; a township edits the file, not the code.
//! From the plan come the duties that fall due (4.2), each with its deadline and the person who answers for it.

mod checking;
mod completion;
pub mod entity;
mod ladder;
pub mod plan;
pub mod queries;
mod reading;
mod refusals;
pub mod rhythm;
pub mod schedule;
mod service;
mod shipped;
mod state;

pub use completion::{HandedIn, HandedInItem};
pub use ladder::Ladder;
pub use plan::Plan;
pub use reading::{PlanFault, read, schema};
pub use refusals::DutyRefusal;
pub use service::{LoadOutcome, Vacancy, complete_duty, load_plan, open_case, open_coming_duties, scheduled_run_done};
pub use shipped::{SHIPPED_PLANS, ShippedPlan};
pub use state::DutyState;
