//! The life of a ballot box.

use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[schema(as = BallotBoxState)]
pub enum BoxState {
    /// Planned; nothing binds yet.
    Draft,
    /// Keys, roll and manifest stand; the quorum has signed, or is about to.
    Signed,
    /// Credentials are given out, and the box is open.
    Issuing,
    /// No more credentials; the box is still open.
    Casting,
    /// The box is shut; nothing enters the log but what comes out of it.
    Closed,
    /// The co-signer has counted; rows and close record stand in the log.
    Counted,
    Published,
    /// Envelopes and issuance are destroyed.
    Wiped,
    Cancelled,
    /// Fewer than may be published: nothing was opened, and nothing ever will be.
    TooFew,
}

/// What happens to a box. All are acts of the clock or of the co-signer's answer, except the cancelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter)]
pub enum Act {
    Sign,
    Open,
    EndIssuing,
    Close,
    TakeCount,
    FindTooFew,
    Publish,
    Wipe,
    Cancel,
}

impl BoxState {
    /// The state after the act; none where the act has no place.
    ///
    /// | | sign | open | end issuing | close | take count | find too few | publish | wipe | cancel |
    /// |---|---|---|---|---|---|---|---|---|---|
    /// | draft | signed | | | | | | | | cancelled |
    /// | signed | | issuing | | | | | | | cancelled |
    /// | issuing | | | casting | closed | | | | | cancelled |
    /// | casting | | | | closed | | | | | cancelled |
    /// | closed | | | | | counted | too few | | | |
    /// | counted | | | | | | | published | | |
    /// | published | | | | | | | | wiped | |
    /// | too few, cancelled, wiped | | | | | | | | | |
    ///
    /// A closed box cannot be cancelled: who has seen how many took part must not be able to stop the count.
    #[must_use]
    pub fn after(self, act: Act) -> Option<Self> {
        use BoxState as S;
        match (self, act) {
            (S::Draft, Act::Sign) => Some(S::Signed),
            (S::Signed, Act::Open) => Some(S::Issuing),
            (S::Issuing, Act::EndIssuing) => Some(S::Casting),
            (S::Issuing | S::Casting, Act::Close) => Some(S::Closed),
            (S::Closed, Act::TakeCount) => Some(S::Counted),
            (S::Closed, Act::FindTooFew) => Some(S::TooFew),
            (S::Counted, Act::Publish) => Some(S::Published),
            (S::Published, Act::Wipe) => Some(S::Wiped),
            (S::Draft | S::Signed | S::Issuing | S::Casting, Act::Cancel) => Some(S::Cancelled),
            _ => None,
        }
    }

    /// Whether the box takes envelopes, the dates allowing.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Issuing | Self::Casting)
    }

    /// Whether the result stands.
    #[must_use]
    pub fn is_published(self) -> bool {
        matches!(self, Self::Published | Self::Wiped)
    }

    /// Whether nothing more will come of it.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Published | Self::Wiped | Self::Cancelled | Self::TooFew)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sea_orm::Iterable as _;

    use super::*;

    /// Every state that can be reached from this one.
    fn reachable(from: BoxState, passing: fn(Act) -> bool) -> BTreeSet<String> {
        let mut found = BTreeSet::from([format!("{from:?}")]);
        let mut open = vec![from];
        while let Some(state) = open.pop() {
            for act in Act::iter().filter(|act| passing(*act)) {
                if let Some(next) = state.after(act)
                    && found.insert(format!("{next:?}"))
                {
                    open.push(next);
                }
            }
        }
        found
    }

    #[test]
    fn a_result_needs_every_step_before_it() {
        for missing in [Act::Sign, Act::Open, Act::Close, Act::TakeCount, Act::Publish] {
            let mut state = BoxState::Draft;
            for act in [Act::Sign, Act::Open, Act::EndIssuing, Act::Close, Act::TakeCount, Act::Publish] {
                if act != missing {
                    state = state.after(act).unwrap_or(state);
                }
            }
            assert!(!state.is_published(), "without {missing:?}");
        }
        assert!(reachable(BoxState::Draft, |_| true).contains("Wiped"));
    }

    #[test]
    fn from_a_closed_box_nothing_leads_back_to_an_open_one_nor_to_cancelling() {
        for state in [BoxState::Closed, BoxState::Counted, BoxState::Published, BoxState::Wiped, BoxState::TooFew] {
            let reached = reachable(state, |_| true);
            for forbidden in ["Draft", "Signed", "Issuing", "Casting", "Cancelled"] {
                assert!(!reached.contains(forbidden), "{state:?} → {forbidden}");
            }
        }
    }

    #[test]
    fn no_act_can_be_done_twice_in_a_row() {
        for state in BoxState::iter() {
            for act in Act::iter() {
                assert_eq!(state.after(act).and_then(|next| next.after(act)), None, "{state:?}, twice {act:?}");
            }
        }
    }

    #[test]
    fn what_ended_stays_as_it_is() {
        for state in [BoxState::Wiped, BoxState::Cancelled, BoxState::TooFew] {
            assert!(Act::iter().all(|act| state.after(act).is_none()), "{state:?}");
        }
    }
}
