use super::State;
use crate::refusal::{FieldFault, Refusal, RefusalKind};

/// Why something cannot be done to a rectification item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RectificationRefusal {
    #[error("not possible in state {state:?}")]
    WrongState { state: State },
    #[error("commitment or measures are missing")]
    PlanMissing,
    #[error("people may still answer")]
    VotingGoesOn,
    #[error("too few answers")]
    QuorumNotReached,
    #[error("the residents are not content")]
    ResidentsDissatisfied,
    #[error("a complaint that led to it has a bad rating standing")]
    ComplaintDissatisfied,
    #[error("the township has not evaluated it")]
    TownshipEvaluationMissing,
    #[error("has evaluated this round already")]
    AlreadyEvaluated,
    #[error("nobody is affected")]
    NobodyAffected,
    #[error("the problem is not of this township")]
    UnknownProblem,
    #[error("it concerns that unit or person")]
    Recused,
    #[error("a person of that unit is needed")]
    UnknownResponsible,
}

impl From<RectificationRefusal> for Refusal {
    fn from(refusal: RectificationRefusal) -> Self {
        use RectificationRefusal as R;
        let conflict = |code, sentence: &str| Self::new(RefusalKind::Conflict, code, sentence);
        let field = |code, pointer: &str, sentence: &str| Self {
            fields: vec![FieldFault::new(pointer, sentence)],
            ..Self::new(RefusalKind::BadInput, code, sentence)
        };
        match refusal {
            R::WrongState { .. } => conflict("wrong_state", "这件整改事项现在的状态不能这样办理，请刷新后再看。"),
            R::PlanMissing => conflict("plan_missing", "要先写明整改措施和公开承诺，才能公示。"),
            R::VotingGoesOn => conflict("voting_goes_on", "群众评价还没有结束。"),
            R::QuorumNotReached => {
                conflict("quorum_not_reached", "参加评价的群众太少。沉默不等于满意，请继续邀请评价。")
            }
            R::ResidentsDissatisfied => {
                conflict("residents_dissatisfied", "群众不满意，不能销号。要继续整改，再请群众评价。")
            }
            R::ComplaintDissatisfied => conflict("complaint_dissatisfied", "相关诉求还有群众不满意，不能销号。"),
            R::TownshipEvaluationMissing => conflict("township_evaluation_missing", "乡镇考评还没有通过，不能销号。"),
            R::AlreadyEvaluated => conflict("already_evaluated", "这一轮您已经评价过了。"),
            R::NobodyAffected => field("nobody_affected", "/affected", "请选出受影响、能评价的群众。"),
            R::UnknownProblem => field("unknown_problem", "/problem_ids", "有问题不在本镇的问题清单里。"),
            R::Recused => field("recused", "/lead_unit_id", "问题反映的就是这个单位或这个人，按回避规定不能由他牵头。"),
            R::UnknownResponsible => field("unknown_responsible", "/lead_unit_id", "这个单位没有可以负责的人。"),
        }
    }
}
