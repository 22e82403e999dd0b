//! Organizations, staff in posts over time, residents on rosters; who may do what.

mod actor;
pub mod authorization;
pub mod entity;
mod roles;

pub use actor::{Actor, HeldPost, Resident, Staff};
pub use roles::{OrganizationKind, PersonKind, Role, RosterGroup};
