//! Small builders: a server, a township, people who speak HTTP.

mod complaints;
mod contract;
mod person;
mod platform;
mod quorum;
mod rectifications;
mod sealed;
mod sealed_surveys;
mod server;
mod township;

pub use complaints::{Cast, path};
pub use person::{Answer, Person};
pub use platform::{bot, platform};
pub use quorum::Others;
pub use rectifications::Scene;
pub use sealed::{Polling, SealedStage, Source, draft, outer};
pub use sealed_surveys::{Evaluatee, TestBox};
pub use server::TestServer;
pub use township::{Township, Village};
