//! What people do to rectification items: one function per act.

mod closing;
mod creating;
mod evaluating;
mod steps;
mod time;
mod working;

pub use closing::{Relapse, close_out, relapse, township_evaluation};
pub use creating::{NewRectification, create};
pub use evaluating::{NewEvaluation, evaluate, open_evaluation, read_verdict};
pub use time::{decide_extension, request_extension};
pub use working::{Commitment, Progress, progress, publish, report_done};
