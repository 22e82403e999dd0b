//! Organizations, staff in posts over time, residents on rosters; who they are when they sign in, and what they may do.

pub mod absences;
pub mod account_links;
mod actor;
mod actors;
pub mod authorization;
pub mod concerns;
pub mod entity;
pub mod invitations;
mod paper_codes;
pub mod password;
mod permissions;
pub mod phones;
mod refusals;
mod roles;
pub mod roster;
pub mod sessions;
pub mod sign_in;

pub use actor::{Actor, HeldPost, Resident, Staff};
pub(crate) use actors::staff_in;
pub use actors::{holders, load_resident, load_staff, names, titles};
pub use paper_codes::{CodeDigest, PaperCodes};
pub use refusals::SignInRefusal;
pub use roles::{OrganizationKind, PersonKind, Role, RosterGroup};
