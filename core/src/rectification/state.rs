use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{RectificationRefusal as Refusal, verdict::Verdict};

/// Where a rectification item stands. Overdue is computed from its deadline, never a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[schema(as = RectificationState)]
pub enum State {
    /// 未启动: no public commitment yet.
    NotStarted,
    /// 推进中, committed to in public.
    InProgress,
    /// 待评价: the unit says it is done, and evaluated itself.
    ReportedDone,
    /// 评价中: the affected residents judge.
    Evaluating,
    /// 已评价: they did, and are content.
    Evaluated,
    /// 退回整改: they are not.
    Returned,
    /// 已销号.
    Closed,
}

/// How fast it can be put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// 立行立改.
    Immediate,
    /// 分阶段整改.
    Phased,
    /// 持续整改.
    Continuous,
}

/// What somebody does to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Goal, measures and commitment go up in public; work begins.
    Publish,
    Progress,
    /// With the village's own evaluation (acceptance level 1).
    ReportDone,
    OpenEvaluation,
    /// The voting days are over: the verdict is read.
    ReadVerdict,
    /// 乡镇考评 (acceptance level 2).
    TownshipEvaluation {
        passed: bool,
    },
    CloseOut,
    /// Look-back found it broken again.
    Relapse,
}

/// What the decision depends on beside the state, read from stored rows inside the row lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Context {
    /// The residents' verdict of this round, as far as the answers go.
    pub verdict: Verdict,
    /// Whether the days for answering are over, or everybody has answered.
    pub voting_is_over: bool,
    pub township_passed: bool,
    /// Whether a complaint that led to it has a bad rating standing.
    pub linked_complaint_dissatisfied: bool,
    /// Whether there is a commitment and at least one measure.
    pub has_plan: bool,
}

/// What follows from an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// Back to work: a new round with a new deadline.
    RoundOpened,
}

/// The state machine of a rectification item.
///
/// | state | act → next state |
/// |---|---|
/// | NotStarted | Publish → InProgress, with goal, measures and commitment |
/// | InProgress, Returned | Progress → InProgress; ReportDone → ReportedDone |
/// | ReportedDone | OpenEvaluation → Evaluating; TownshipEvaluation(failed) → Returned |
/// | Evaluating | ReadVerdict, when voting is over: content → Evaluated; not content → Returned; too few answers → refused |
/// | Evaluated | TownshipEvaluation(passed) → Evaluated; (failed) → Returned; CloseOut → Closed, through the gate |
/// | Closed | Relapse → Returned |
///
/// Whether it is fixed is for the residents to say. No act of anybody leads from their dissatisfaction to Closed but a new
/// round with a new verdict (不满意不销号, plan A).
///
/// # Errors
/// [`Refusal`] saying why not.
pub fn apply(state: State, act: Act, context: &Context) -> Result<(State, Vec<Event>), Refusal> {
    use State as S;
    let back_to_work = Ok((S::Returned, vec![Event::RoundOpened]));
    let next = match (state, act) {
        (S::NotStarted, Act::Publish) if context.has_plan => S::InProgress,
        (S::NotStarted, Act::Publish) => return Err(Refusal::PlanMissing),
        (S::InProgress | S::Returned, Act::Progress) => S::InProgress,
        (S::InProgress | S::Returned, Act::ReportDone) => S::ReportedDone,
        (S::ReportedDone, Act::OpenEvaluation) => S::Evaluating,
        (S::Evaluating, Act::ReadVerdict) if !context.voting_is_over => return Err(Refusal::VotingGoesOn),
        (S::Evaluating, Act::ReadVerdict) => match context.verdict {
            Verdict::Content => S::Evaluated,
            Verdict::NotContent => return back_to_work,
            Verdict::TooFewAnswers => return Err(Refusal::QuorumNotReached),
        },
        (S::Evaluated, Act::TownshipEvaluation { passed: true }) => S::Evaluated,
        (S::ReportedDone | S::Evaluated, Act::TownshipEvaluation { passed: false }) => return back_to_work,
        (S::Evaluated, Act::CloseOut) => {
            may_close(context)?;
            S::Closed
        }
        (S::Evaluating, Act::CloseOut) => return Err(Refusal::VotingGoesOn),
        (S::Returned, Act::CloseOut) => return Err(Refusal::ResidentsDissatisfied),
        (S::Closed, Act::Relapse) => return back_to_work,
        _ => return Err(Refusal::WrongState { state }),
    };
    Ok((next, Vec::new()))
}

/// Whether this item may be closed out (销号).
///
/// The residents' verdict of the current round decides; staff, administrators included, have no way around it (plan A).
/// Silence is not consent: an item without enough answers is refused.
///
/// # Errors
/// What stands against it.
pub fn may_close(context: &Context) -> Result<(), Refusal> {
    match context.verdict {
        Verdict::NotContent => return Err(Refusal::ResidentsDissatisfied),
        Verdict::TooFewAnswers => return Err(Refusal::QuorumNotReached),
        Verdict::Content => {}
    }
    if context.linked_complaint_dissatisfied {
        return Err(Refusal::ComplaintDissatisfied);
    }
    if !context.township_passed {
        return Err(Refusal::TownshipEvaluationMissing);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::{HashSet, VecDeque};

    use sea_orm::Iterable as _;

    use super::*;

    const ACTS: [Act; 9] = [
        Act::Publish,
        Act::Progress,
        Act::ReportDone,
        Act::OpenEvaluation,
        Act::ReadVerdict,
        Act::TownshipEvaluation { passed: true },
        Act::TownshipEvaluation { passed: false },
        Act::CloseOut,
        Act::Relapse,
    ];

    fn every_context() -> Vec<Context> {
        let mut contexts = Vec::new();
        for verdict in [Verdict::Content, Verdict::NotContent, Verdict::TooFewAnswers] {
            for bits in 0..16 {
                let bit = |place: u32| bits & (1 << place) != 0;
                contexts.push(Context {
                    verdict,
                    voting_is_over: bit(0),
                    township_passed: bit(1),
                    linked_complaint_dissatisfied: bit(2),
                    has_plan: bit(3),
                });
            }
        }
        contexts
    }

    /// An item together with what the residents last said.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    struct World {
        state: State,
        dissatisfaction_stands: bool,
    }

    #[test]
    fn no_path_leads_from_the_residents_dissatisfaction_to_closed_without_a_new_verdict() {
        let mut seen = HashSet::new();
        let mut queue = VecDeque::from([World { state: State::NotStarted, dissatisfaction_stands: false }]);
        while let Some(world) = queue.pop_front() {
            if !seen.insert(world) {
                continue;
            }
            assert!(!(world.state == State::Closed && world.dissatisfaction_stands), "closed against the residents");
            for act in ACTS {
                for context in every_context() {
                    let Ok((state, _)) = apply(world.state, act, &context) else { continue };
                    let dissatisfaction_stands = match (act, context.verdict) {
                        (Act::ReadVerdict, Verdict::NotContent) => true,
                        // Only a verdict that was read takes it back.
                        (Act::ReadVerdict, Verdict::Content) => false,
                        _ => world.dissatisfaction_stands,
                    };
                    queue.push_back(World { state, dissatisfaction_stands });
                }
            }
        }
        assert!(seen.iter().any(|world| world.state == State::Closed), "closing is possible at all");
        assert!(seen.iter().any(|world| world.dissatisfaction_stands));
    }

    #[test]
    fn nothing_closes_without_the_verdict_the_township_and_the_complainants() {
        for state in State::iter() {
            for context in every_context() {
                let closes = apply(state, Act::CloseOut, &context).is_ok();
                let allowed = state == State::Evaluated
                    && context.verdict == Verdict::Content
                    && context.township_passed
                    && !context.linked_complaint_dissatisfied;
                assert_eq!(closes, allowed, "{state:?} {context:?}");
            }
        }
    }

    #[test]
    fn the_verdict_is_not_read_while_people_may_still_answer() {
        let early = Context {
            verdict: Verdict::Content,
            voting_is_over: false,
            township_passed: true,
            linked_complaint_dissatisfied: false,
            has_plan: true,
        };
        assert_eq!(apply(State::Evaluating, Act::ReadVerdict, &early), Err(Refusal::VotingGoesOn));
    }
}
