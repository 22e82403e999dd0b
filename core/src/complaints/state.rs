use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ComplaintRefusal as Refusal;

/// Where a complaint stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[schema(as = ComplaintState)]
pub enum State {
    /// 已登记.
    Registered,
    /// 已分类, or returned and waiting to be dispatched again.
    Classified,
    /// 已交办: waits for the unit to take it on.
    Dispatched,
    /// 办理中.
    Working,
    /// 已答复: waits for the verdict.
    Answered,
    /// 已评价: nobody is dissatisfied in this round.
    Rated,
    /// 差评重办: somebody is; waits for the call-back and a new dispatch.
    Reopened,
    /// 挂账: has to wait before it can be answered.
    Parked,
    /// 挂账，群众未满意: answered, somebody is dissatisfied and does not say more. Stands in public until its review.
    ParkedUnsatisfied,
    /// 已办结.
    Closed,
    /// 已并入 an earlier complaint about the same matter.
    Merged,
    /// 不予受理, told where to go instead.
    NotAccepted,
    /// 已撤回 by the resident.
    Withdrawn,
}

impl State {
    /// Whether somebody still has to do something about it.
    #[must_use]
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Closed | Self::Merged | Self::NotAccepted | Self::Withdrawn)
    }
}

/// The five levels of 好差评 (国办发〔2019〕51号). The last two are bad ratings.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum SatisfactionLevel {
    VerySatisfied,
    Satisfied,
    BasicallySatisfied,
    Dissatisfied,
    VeryDissatisfied,
}

impl SatisfactionLevel {
    #[must_use]
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Dissatisfied | Self::VeryDissatisfied)
    }

    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::VerySatisfied => "非常满意",
            Self::Satisfied => "满意",
            Self::BasicallySatisfied => "基本满意",
            Self::Dissatisfied => "不满意",
            Self::VeryDissatisfied => "非常不满意",
        }
    }
}

/// What a call-back found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum CallBackResult {
    /// The resident was reached and the matter talked over.
    Reached,
    /// The resident was reached and is not content: as good as a bad rating.
    NotContent,
    /// Several tries, nobody there.
    NotReached,
}

/// What somebody does to a complaint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    Classify,
    /// To a unit that the complaint is not about.
    Dispatch,
    Accept,
    /// Not ours: back to the township office, once.
    Return,
    /// The office rules that another unit handles it.
    Transfer,
    Answer,
    Rate(SatisfactionLevel),
    CallBack(CallBackResult),
    Close,
    Park,
    Resume,
    /// Into an earlier complaint.
    Merge,
    RefuseAcceptance,
    Withdraw,
}

/// What the decision depends on beside the state. All of it is read from stored rows, inside the row lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Context {
    /// Returns so far.
    pub returns: i32,
    /// Whether one person alone brought it up.
    pub sole_reporter: bool,
    /// Whether a call-back of this round is recorded.
    pub called_back: bool,
    /// Whether somebody was called back after the last answer.
    pub called_back_since_answer: bool,
    /// Whether somebody's last word was a bad one, in whichever round: a new answer does not take it back.
    pub anybody_dissatisfied: bool,
    /// Whether every reporter has rated this round.
    pub everybody_rated: bool,
    /// Whether enough days have passed since the answer for silence to be taken as such.
    pub silent_long_enough: bool,
}

impl Context {
    /// Whether those who have not rated were given their time and then called by somebody else.
    fn silence_was_followed_up(&self) -> bool {
        self.called_back_since_answer && self.silent_long_enough
    }
}

/// What follows from an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The next round of work begins, with its own clock and a case of its own (1.10).
    RoundOpened,
    /// Closed though not everybody rated: counted apart, never as satisfied.
    ClosedInSilence,
}

/// The state machine of a complaint.
///
/// | state | act → next state |
/// |---|---|
/// | Registered | Classify → Classified; RefuseAcceptance → NotAccepted; Merge → Merged; Withdraw → Withdrawn |
/// | Classified | Classify → Classified; Dispatch → Dispatched; RefuseAcceptance; Merge; Withdraw |
/// | Dispatched | Accept → Working; Return (once) → Classified; Transfer → Dispatched; Merge; Withdraw |
/// | Working | Answer → Answered; Transfer → Dispatched; Park → Parked |
/// | Answered, Rated | Rate(good) → Rated; Rate(bad) → Reopened; CallBack(not content) → Reopened; Close → Closed, if nobody is dissatisfied and everybody rated, or silence was followed up; Park → ParkedUnsatisfied, if somebody is dissatisfied and silence was followed up |
/// | Reopened | CallBack → Reopened; Dispatch → Dispatched, after the call-back |
/// | Parked | Resume → Working |
/// | ParkedUnsatisfied | Rate(good) → Rated; Rate(bad) → Reopened; CallBack(not content) → Reopened; Resume → Reopened |
/// | Closed | Rate(bad) → Reopened, by a reporter who had been silent; Rate(good) → Closed |
/// | Merged, NotAccepted, Withdrawn | nothing |
///
/// While anybody's last word is a bad one, nothing closes, refuses or merges it away, and nobody's role matters to that
/// (不满意不销号). Only the one who brought it up alone may take it back.
///
/// # Errors
/// [`ComplaintRefusal`](Refusal) saying why not.
pub fn apply(state: State, act: Act, context: &Context) -> Result<(State, Vec<Event>), Refusal> {
    use State as S;
    // Not a way out of the residents' dissatisfaction.
    if context.anybody_dissatisfied && matches!(act, Act::RefuseAcceptance | Act::Merge) {
        return Err(Refusal::SomebodyDissatisfied);
    }
    let next = match (state, act) {
        (S::Registered | S::Classified, Act::Classify) => S::Classified,
        (S::Registered | S::Classified, Act::RefuseAcceptance) => S::NotAccepted,
        (S::Registered | S::Classified | S::Dispatched, Act::Merge) => S::Merged,
        (S::Registered | S::Classified | S::Dispatched, Act::Withdraw) if context.sole_reporter => S::Withdrawn,
        (S::Registered | S::Classified | S::Dispatched, Act::Withdraw) => return Err(Refusal::OthersBroughtItUp),
        (S::Classified, Act::Dispatch) => S::Dispatched,
        (S::Reopened, Act::Dispatch) if context.called_back => S::Dispatched,
        (S::Reopened, Act::Dispatch) => return Err(Refusal::CallBackMissing),
        (S::Dispatched, Act::Accept) | (S::Parked, Act::Resume) => S::Working,
        (S::Dispatched, Act::Return) if context.returns == 0 => S::Classified,
        (S::Dispatched, Act::Return) => return Err(Refusal::ReturnedBefore),
        (S::Dispatched | S::Working, Act::Transfer) => S::Dispatched,
        (S::Working, Act::Answer) => S::Answered,
        (S::Working, Act::Park) => S::Parked,
        (S::Answered | S::Rated, Act::Park) if !context.anybody_dissatisfied => {
            return Err(Refusal::NobodyDissatisfied);
        }
        (S::Answered | S::Rated, Act::Park) if context.silence_was_followed_up() => S::ParkedUnsatisfied,
        (S::Answered | S::Rated, Act::Park) => return Err(Refusal::SilenceNotFollowedUp),
        (S::Answered | S::Rated | S::ParkedUnsatisfied | S::Closed, Act::Rate(level)) if level.is_bad() => {
            return Ok((S::Reopened, vec![Event::RoundOpened]));
        }
        (S::Answered | S::Rated | S::ParkedUnsatisfied, Act::Rate(_)) => S::Rated,
        (S::Closed, Act::Rate(_)) => S::Closed,
        (S::Answered | S::Rated | S::ParkedUnsatisfied, Act::CallBack(CallBackResult::NotContent))
        | (S::ParkedUnsatisfied, Act::Resume) => return Ok((S::Reopened, vec![Event::RoundOpened])),
        (S::Answered | S::Rated | S::ParkedUnsatisfied | S::Reopened, Act::CallBack(_)) => state,
        (S::Answered | S::Rated, Act::Close) => return may_close(context),
        (S::Reopened | S::ParkedUnsatisfied, Act::Close) => return Err(Refusal::SomebodyDissatisfied),
        _ => return Err(Refusal::WrongState { state }),
    };
    Ok((next, Vec::new()))
}

/// The close-out gate. Silence is not consent: who has not rated is called back by somebody else, and the closing is
/// counted apart.
fn may_close(context: &Context) -> Result<(State, Vec<Event>), Refusal> {
    if context.anybody_dissatisfied {
        return Err(Refusal::SomebodyDissatisfied);
    }
    if context.everybody_rated {
        return Ok((State::Closed, Vec::new()));
    }
    if context.silence_was_followed_up() {
        return Ok((State::Closed, vec![Event::ClosedInSilence]));
    }
    Err(Refusal::NotRatedYet)
}

#[cfg(test)]
mod tests {
    use std::collections::{HashSet, VecDeque};

    use sea_orm::Iterable as _;

    use super::*;

    fn every_act() -> Vec<Act> {
        let mut acts = vec![
            Act::Classify,
            Act::Dispatch,
            Act::Accept,
            Act::Return,
            Act::Transfer,
            Act::Answer,
            Act::Close,
            Act::Park,
            Act::Resume,
            Act::Merge,
            Act::RefuseAcceptance,
            Act::Withdraw,
        ];
        acts.extend(SatisfactionLevel::iter().map(Act::Rate));
        acts.extend(CallBackResult::iter().map(Act::CallBack));
        acts
    }

    fn every_context() -> Vec<Context> {
        let mut contexts = Vec::new();
        for bits in 0..128 {
            let bit = |place: u32| bits & (1 << place) != 0;
            contexts.push(Context {
                returns: i32::from(bit(0)),
                called_back: bit(1),
                anybody_dissatisfied: bit(2),
                everybody_rated: bit(3),
                silent_long_enough: bit(4),
                sole_reporter: bit(5),
                called_back_since_answer: bit(6),
            });
        }
        contexts
    }

    /// A complaint together with what the residents last said about it.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    struct World {
        state: State,
        dissatisfied: bool,
    }

    #[test]
    fn no_path_leads_from_dissatisfaction_to_an_end_but_a_better_verdict_or_the_residents_own_withdrawal() {
        let mut seen = HashSet::new();
        let mut queue = VecDeque::from([World { state: State::Registered, dissatisfied: false }]);
        while let Some(world) = queue.pop_front() {
            if !seen.insert(world) {
                continue;
            }
            let ended = matches!(world.state, State::Closed | State::Merged | State::NotAccepted);
            assert!(!(ended && world.dissatisfied), "{world:?}: ended although somebody is dissatisfied");
            for act in every_act() {
                // Everything else about the world is free, the verdict is what it is.
                for context in
                    every_context().into_iter().filter(|context| context.anybody_dissatisfied == world.dissatisfied)
                {
                    let Ok((state, _)) = apply(world.state, act, &context) else { continue };
                    let dissatisfied = match act {
                        Act::Rate(level) => level.is_bad(),
                        Act::CallBack(CallBackResult::NotContent) if world.state != State::Reopened => true,
                        // Neither a new answer nor anything that staff do takes a verdict back.
                        _ => world.dissatisfied,
                    };
                    queue.push_back(World { state, dissatisfied });
                }
            }
        }
        assert!(seen.iter().any(|world| world.state == State::Closed), "closing is possible at all");
        assert!(
            seen.contains(&World { state: State::Answered, dissatisfied: true }),
            "a new answer changes no verdict"
        );
        assert!(
            !seen.contains(&World { state: State::ParkedUnsatisfied, dissatisfied: false }),
            "parking against nobody's dissatisfaction would only hide work"
        );
    }

    #[test]
    fn nothing_closes_while_anybody_is_dissatisfied_whatever_else_is_true() {
        for state in State::iter() {
            for context in every_context().into_iter().filter(|context| context.anybody_dissatisfied) {
                assert!(apply(state, Act::Close, &context).is_err(), "{state:?} {context:?}");
            }
        }
    }

    #[test]
    fn silence_closes_only_after_a_call_back_and_is_counted_apart() {
        let silent = Context { silent_long_enough: true, ..Context::default() };
        assert_eq!(apply(State::Answered, Act::Close, &silent), Err(Refusal::NotRatedYet));
        // A call before the answer is not about the answer.
        let before = Context { called_back: true, ..silent };
        assert_eq!(apply(State::Answered, Act::Close, &before), Err(Refusal::NotRatedYet));
        let called = Context { called_back_since_answer: true, ..silent };
        assert_eq!(apply(State::Answered, Act::Close, &called), Ok((State::Closed, vec![Event::ClosedInSilence])));
    }

    #[test]
    fn what_somebody_is_dissatisfied_with_is_parked_only_after_silence_and_a_call_and_comes_back_with_a_new_round() {
        let followed_up = Context {
            anybody_dissatisfied: true,
            called_back_since_answer: true,
            silent_long_enough: true,
            ..Context::default()
        };
        assert_eq!(apply(State::Answered, Act::Park, &followed_up), Ok((State::ParkedUnsatisfied, vec![])));
        let content = Context { anybody_dissatisfied: false, ..followed_up };
        assert_eq!(apply(State::Answered, Act::Park, &content), Err(Refusal::NobodyDissatisfied));
        for too_early in [
            Context { called_back_since_answer: false, ..followed_up },
            Context { silent_long_enough: false, ..followed_up },
        ] {
            assert_eq!(apply(State::Rated, Act::Park, &too_early), Err(Refusal::SilenceNotFollowedUp));
        }
        let again = Ok((State::Reopened, vec![Event::RoundOpened]));
        assert_eq!(apply(State::ParkedUnsatisfied, Act::Resume, &followed_up), again);
        let bad = Act::Rate(SatisfactionLevel::Dissatisfied);
        assert_eq!(apply(State::ParkedUnsatisfied, bad, &followed_up), again);
        let good = Act::Rate(SatisfactionLevel::Satisfied);
        assert_eq!(apply(State::ParkedUnsatisfied, good, &followed_up), Ok((State::Rated, vec![])));
    }

    #[test]
    fn a_complaint_is_returned_once_and_then_stays() {
        assert_eq!(apply(State::Dispatched, Act::Return, &Context::default()), Ok((State::Classified, vec![])));
        let again = Context { returns: 1, ..Context::default() };
        assert_eq!(apply(State::Dispatched, Act::Return, &again), Err(Refusal::ReturnedBefore));
    }

    #[test]
    fn final_states_are_final() {
        for state in [State::Merged, State::NotAccepted, State::Withdrawn] {
            for act in every_act() {
                assert!(apply(state, act, &Context::default()).is_err());
            }
        }
    }

    #[test]
    fn a_reopened_complaint_goes_out_again_only_after_somebody_called_the_resident() {
        assert_eq!(apply(State::Reopened, Act::Dispatch, &Context::default()), Err(Refusal::CallBackMissing));
        let called = Context { called_back: true, ..Context::default() };
        assert_eq!(apply(State::Reopened, Act::Dispatch, &called), Ok((State::Dispatched, vec![])));
    }
}
