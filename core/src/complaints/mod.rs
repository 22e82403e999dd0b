//! Complaints 群众诉求 (1.1–1.10): from a resident's words to an answer that the resident judges.

mod category;
mod clocks;
pub mod entity;
pub mod queries;
mod receipt;
mod refusals;
pub mod service;
pub mod silence;
mod similar;
mod state;
mod text;
mod verdict;

pub use category::{Category, Channel, ComplaintKind, Opinion};
pub use clocks::{ClockRules, PARKING_REVIEW};
pub use receipt::{RECEIPT_LOOKS, RECEIPT_LOOKS_WINDOW, ReceiptCode};
pub use refusals::ComplaintRefusal;
pub use similar::{Similar, likeness, similar};
pub use state::{Act, CallBackResult, Context, Event, SatisfactionLevel, State, apply};
pub use text::{Body, LONGEST_BODY, Title};
pub use verdict::{Verdict, verdict};
