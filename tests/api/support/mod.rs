//! Small builders: a server, a township, people who speak HTTP.

mod cached;
mod chat;
mod complaints;
mod contract;
mod person;
mod platform;
mod programs;
mod pushes;
mod quorum;
mod rectifications;
mod reports;
mod sealed;
mod sealed_surveys;
mod server;
mod stored;
mod township;
mod trap;

pub use cached::everything_cached;
pub use chat::{Chat, number_in, server_with};
pub use complaints::{Cast, path};
pub use person::{Answer, Person};
pub use platform::{bot, bot_with, platform};
pub use programs::{Between, Program, Programs, cosigner_program};
pub use pushes::{push, push_at, push_to_mini_program};
pub use quorum::Others;
pub use rectifications::Scene;
pub use reports::{Reporter, county_of, envelope, key_of, opened, sealed};
pub use sealed::{Polling, SealedStage, Source, draft, outer};
pub use sealed_surveys::{Evaluatee, TestBox};
pub use server::TestServer;
pub use stored::is_stored;
pub use township::{Township, Village};
pub use trap::{Moment, Trap};
