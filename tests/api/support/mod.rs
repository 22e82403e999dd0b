//! Small builders: a server, a township, people who speak HTTP.

mod complaints;
mod person;
mod server;
mod township;

pub use complaints::{Cast, path};
pub use person::{Answer, Person};
pub use server::TestServer;
pub use township::{Township, Village};
