use crate::refusal::Fault;

/// The two engines that hold the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Which database, and how many connections to it.
#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    /// `sqlite://PATH` or `postgres://…`.
    pub url: String,
    /// Connections for reads (SQLite) or for everything (PostgreSQL); half as many more for the busiest statements.
    pub connections: u32,
}

impl DatabaseSettings {
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), connections: 16 }
    }

    /// # Errors
    /// When the address names neither engine.
    pub fn engine(&self) -> Result<Engine, Fault> {
        if self.url.starts_with("sqlite:") {
            Ok(Engine::Sqlite)
        } else if self.url.starts_with("postgres:") || self.url.starts_with("postgresql:") {
            Ok(Engine::Postgres)
        } else {
            Err(Fault::unavailable("the database address must begin with sqlite: or postgres:"))
        }
    }
}
