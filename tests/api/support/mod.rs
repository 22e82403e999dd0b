//! Small builders: a server, a township, people who speak HTTP.

mod person;
mod server;
mod township;

pub use person::{Answer, Person};
pub use server::TestServer;
pub use township::{Township, Village};
