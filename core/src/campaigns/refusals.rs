use super::DutyState;
use crate::refusal::{Refusal, RefusalKind};

/// Why something cannot be done to a duty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DutyRefusal {
    #[error("it is {0:?}")]
    NotOpen(DutyState),
    #[error("the plan has no duty of that key that is opened case by case")]
    NoSuchCaseDuty,
    #[error("that unit does not owe it")]
    NotOwedThere,
}

impl From<DutyRefusal> for Refusal {
    fn from(refusal: DutyRefusal) -> Self {
        let conflict = |code, sentence: &str| Self::new(RefusalKind::Conflict, code, sentence);
        match refusal {
            DutyRefusal::NotOpen(DutyState::Cancelled) => conflict("duty_cancelled", "方案已不再要求这项工作。"),
            DutyRefusal::NotOpen(_) => conflict("duty_done", "这项工作已经办结。"),
            DutyRefusal::NoSuchCaseDuty => conflict("no_such_case_duty", "方案里没有这项按件办理的工作。"),
            DutyRefusal::NotOwedThere => conflict("duty_not_owed_there", "这项工作不由这个单位承担。"),
        }
    }
}
