//! Campaigns (专项行动) as data (4.1): a plan file says what a campaign asks for; a township edits the file, not the code.

mod checking;
pub mod plan;
mod reading;
pub mod rhythm;
mod shipped;

pub use plan::Plan;
pub use reading::{PlanFault, read, schema};
pub use shipped::{SHIPPED_PLANS, ShippedPlan};
