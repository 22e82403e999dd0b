//! Small builders: a server, a township, people who speak HTTP.

mod complaints;
mod contract;
mod person;
mod platform;
mod rectifications;
mod sealed_surveys;
mod server;
mod township;

pub use complaints::{Cast, path};
pub use person::{Answer, Person};
pub use platform::{bot, platform};
pub use rectifications::Scene;
pub use sealed_surveys::{Evaluatee, TestBox};
pub use server::TestServer;
pub use township::{Township, Village};
