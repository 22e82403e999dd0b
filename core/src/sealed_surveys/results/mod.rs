//! Results of anonymous surveys, kept: which rules a survey has, the sheet that is made of its boxes once, who sees it.

mod adopting;
pub mod entity;
mod gathering;
mod publishing;
mod releasing;
mod viewing;

pub use adopting::{Adoption, adopt};
pub use publishing::{publish, publish_finished};
pub use releasing::release;
pub use viewing::{SheetLine, SheetPage, SheetView, sheet, sheets};

use crate::refusal::{Refusal, RefusalKind};

/// Why something cannot be done with a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResultRefusal {
    #[error("not every box is counted")]
    NotPublished,
    #[error("those evaluated may see it already")]
    AlreadyReleased,
    #[error("it is public: there is nothing to release")]
    Public,
}

impl From<ResultRefusal> for Refusal {
    fn from(refusal: ResultRefusal) -> Self {
        let conflict = |code, sentence: &str| Self::new(RefusalKind::Conflict, code, sentence);
        match refusal {
            ResultRefusal::NotPublished => {
                conflict("results_not_published", "票箱还没有全部计完，现在谁也看不到结果。")
            }
            ResultRefusal::AlreadyReleased => conflict("results_already_released", "结果已经向被测评人反馈过了。"),
            ResultRefusal::Public => conflict("results_are_public", "这项结果本来就是公开的，不用另外反馈。"),
        }
    }
}
