//! What people do to complaints: one function per act. Each loads, asks for permission, calls the rule, and leaves the
//! fact, its audit record and its messages in one transaction.

mod answer;
mod closing;
mod intake;
mod merging;
mod parking;
mod rating;
mod routing;
mod steps;
mod supplement;
mod time;

pub use answer::{NewAnswer, answer};
pub use closing::{CallBack, call_back, close};
pub use intake::{
    Filed, LONGEST_PLACE, MOST_PHOTOS, NewComplaint, OnBehalf, register_on_behalf, submit, submit_in_chat, withdraw,
};
pub use merging::merge;
pub use parking::{Parking, park, resume};
pub use rating::{NewRating, Rater, rate, receipt_holder};
pub use routing::{Destination, accept, classify, dispatch, refuse_acceptance, return_back, transfer};
pub use supplement::supplement;
pub use time::{decide_extension, request_extension};
