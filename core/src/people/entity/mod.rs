//! Rows of the people tables.

pub mod absences;
pub mod account_links;
pub mod concerns;
pub mod invitations;
pub mod organizations;
pub mod posts;
pub mod recusals;
pub mod refresh_tokens;
pub mod resident_logins;
pub mod residents;
pub mod staff;
