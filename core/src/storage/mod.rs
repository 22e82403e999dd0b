//! Where facts are kept: SQLite (one file) or PostgreSQL, behind one [`Store`].
//!
//! Reads take [`Store::reader`]. Every write is a [`Store::command`]: one transaction that holds the idempotency row, the
//! fact, its audit records and the messages it causes. Answers that nobody may link to a person go through
//! [`Store::anonymous`], whose transaction has none of these.

mod gathering;
mod group_commit;
mod idempotency;
mod lanes;
mod looks;
mod script_writer;
mod session;
mod settings;
mod statement_writer;
mod store;
mod together;
mod unit_of_work;

pub use idempotency::{IdempotencyKey, forget_old_requests};
pub use lanes::Lanes;
pub(crate) use looks::Look;
pub use session::Session;
pub use settings::{DatabaseSettings, Engine};
pub use store::Store;
pub(crate) use together::{Values, is_overtaken};
pub use unit_of_work::{Command, Done, Outcome, Surroundings, UnitOfWork};
