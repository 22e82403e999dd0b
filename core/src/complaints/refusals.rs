use super::State;
use crate::refusal::{FieldFault, Refusal, RefusalKind};

/// Why something cannot be done to a complaint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComplaintRefusal {
    #[error("not possible in state {state:?}")]
    WrongState { state: State },
    #[error("it was returned once already")]
    ReturnedBefore,
    #[error("somebody is dissatisfied")]
    SomebodyDissatisfied,
    #[error("not everybody has rated")]
    NotRatedYet,
    #[error("nobody is dissatisfied")]
    NobodyDissatisfied,
    #[error("who is dissatisfied was not given time or not called back")]
    SilenceNotFollowedUp,
    #[error("parked by the unit or person whose work it is")]
    ParkedByWorker,
    #[error("nobody has called the resident back")]
    CallBackMissing,
    #[error("rated already in this round")]
    AlreadyRated,
    #[error("who works on a complaint does not rate it")]
    OwnWork,
    #[error("it concerns that unit or person")]
    Recused,
    #[error("that unit does not belong to the township")]
    UnknownUnit,
    #[error("that person does not work in that unit")]
    UnknownHandler,
    #[error("a report against a person takes another way")]
    BelongsToSealedReports,
    #[error("into itself, or into one that is not open in the same township")]
    CannotMerge,
    #[error("others brought it up, too")]
    OthersBroughtItUp,
    #[error("a call-back by the person rated")]
    CallBackByHandler,
}

impl From<ComplaintRefusal> for Refusal {
    fn from(refusal: ComplaintRefusal) -> Self {
        use ComplaintRefusal as R;
        let conflict = |code, sentence: &str| Self::new(RefusalKind::Conflict, code, sentence);
        let field = |code, pointer: &str, sentence: &str| Self {
            code,
            fields: vec![FieldFault::new(pointer, sentence)],
            ..Self::new(RefusalKind::BadInput, code, sentence)
        };
        match refusal {
            R::WrongState { .. } => conflict("wrong_state", "这件诉求现在的状态不能这样办理，请刷新后再看。"),
            R::ReturnedBefore => conflict("returned_before", "已经退回过一次，不能再退，请办理或报镇里裁定。"),
            R::SomebodyDissatisfied => {
                conflict("somebody_dissatisfied", "还有群众不满意，不能办结。要重新办理，让群众重新评价。")
            }
            R::NotRatedYet => {
                conflict("not_rated_yet", "群众还没有评价。沉默不等于满意：答复满十五天并由他人回访后才能办结。")
            }
            R::NobodyDissatisfied => conflict("nobody_dissatisfied", "没有群众不满意，不用挂账，按程序办结。"),
            R::SilenceNotFollowedUp => {
                conflict("silence_not_followed_up", "要等答复满十五天、由他人回访以后，才能公开挂账。")
            }
            R::ParkedByWorker => {
                Self::new(RefusalKind::Forbidden, "parked_by_worker", "挂账不能由承办的单位或承办人自己批准。")
            }
            R::CallBackMissing => conflict("call_back_missing", "重新交办之前，要先由他人回访核实。"),
            R::AlreadyRated => conflict("already_rated", "这一轮您已经评价过了。"),
            R::OwnWork => Self::new(RefusalKind::Forbidden, "own_work", "不能评价自己经办的事项。"),
            R::Recused => field("recused", "/unit_id", "反映的就是这个单位或这个人，按回避规定不能交给他办。"),
            R::UnknownUnit => field("unknown_unit", "/unit_id", "本镇没有这个单位。"),
            R::UnknownHandler => field("unknown_handler", "/handler_id", "这个单位没有这位经办人。"),
            R::BelongsToSealedReports => {
                conflict("belongs_to_sealed_reports", "检举干部请走加密举报通道，这里不会保存您写的内容。")
            }
            R::CannotMerge => field("cannot_merge", "/into", "只能并入本镇一件更早的、还在办理的诉求。"),
            R::OthersBroughtItUp => conflict("others_brought_it_up", "还有别人反映同一件事，不能由一个人撤回。"),
            R::CallBackByHandler => {
                Self::new(RefusalKind::Forbidden, "call_back_by_handler", "回访要由经办人以外的人来做。")
            }
        }
    }
}
