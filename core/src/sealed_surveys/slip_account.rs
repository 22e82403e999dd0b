//! 纸票账: where the slips of a box went, and whether they may count.

use serde::{Deserialize, Serialize};

/// What the office says at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    pub printed: u32,
    pub drawn: u32,
    /// Forms handed in to the counting team, spoiled ones among them.
    pub returned: u32,
    pub spoiled: u32,
    /// Slips that lie in the bag: their codes were read.
    pub unused: u32,
}

/// What is known without the office.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub printed: u32,
    /// People of whom the register says paper.
    pub registered: u32,
    /// Slips with an envelope in the log, but for those that lie in the bag.
    pub used: u32,
}

/// The numbers, as they are published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlipNumbers {
    pub printed: u32,
    pub drawn: u32,
    pub returned: u32,
    pub spoiled: u32,
    /// Neither drawn nor in the bag.
    #[serde(default)]
    pub lost: u32,
    /// More came into the box, came back or were drawn than people may have: the whole batch counts for nothing.
    pub batch_void: bool,
}

/// The account; none where the numbers contradict themselves or the batch.
///
/// A slip that nobody drew and that lies in the bag is void, whoever used its code. When more slips were used or came back than were
/// drawn, or more were drawn than people are registered, nobody can say which are the surplus ones: all are void.
#[must_use]
pub fn settle(told: Told, known: Known) -> Option<SlipNumbers> {
    let Told { printed, drawn, returned, spoiled, unused } = told;
    let lost = printed.checked_sub(drawn)?.checked_sub(unused)?;
    if printed != known.printed || spoiled > returned {
        return None;
    }
    let batch_void = returned > drawn || drawn > known.registered || known.used > drawn;
    Some(SlipNumbers { printed, drawn, returned, spoiled, lost, batch_void })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn told([printed, drawn, returned, spoiled, unused]: [u32; 5]) -> Told {
        Told { printed, drawn, returned, spoiled, unused }
    }

    #[rstest]
    #[case::all_as_it_should_be([30, 20, 5, 1, 10], [20, 19], Some((0, false)))]
    #[case::two_are_gone([30, 20, 5, 1, 8], [20, 19], Some((2, false)))]
    #[case::nobody_came([30, 0, 0, 0, 30], [0, 0], Some((0, false)))]
    #[case::registered_and_not_drawn([30, 19, 5, 0, 11], [20, 19], Some((0, false)))]
    #[case::a_lost_slip_was_used([30, 20, 5, 1, 9], [20, 21], Some((1, true)))]
    #[case::more_back_than_drawn([30, 20, 21, 1, 10], [20, 19], Some((0, true)))]
    #[case::more_drawn_than_registered([30, 20, 5, 1, 10], [19, 19], Some((0, true)))]
    #[case::more_drawn_than_printed([30, 31, 5, 1, 0], [31, 19], None)]
    #[case::more_left_than_there_are([30, 20, 5, 1, 11], [20, 19], None)]
    #[case::more_spoiled_than_back([30, 20, 5, 6, 10], [20, 19], None)]
    #[case::another_number_printed([29, 20, 5, 1, 9], [20, 19], None)]
    fn what_is_lost_and_when_the_batch_is_void(
        #[case] said: [u32; 5],
        #[case] registered_and_used: [u32; 2],
        #[case] expected: Option<(u32, bool)>,
    ) {
        let [registered, used] = registered_and_used;
        let account = settle(told(said), Known { printed: 30, registered, used });
        assert_eq!(account.map(|account| (account.lost, account.batch_void)), expected);
    }

    proptest! {
        #[test]
        fn what_counts_is_never_more_than_people_who_registered(
            said in any::<[u8; 5]>(), registered in any::<u8>(), used in any::<u8>(),
        ) {
            let told = told(said.map(u32::from));
            let known = Known { printed: told.printed, registered: registered.into(), used: used.into() };
            if let Some(account) = settle(told, known) {
                prop_assert_eq!(account.drawn + told.unused + account.lost, account.printed);
                prop_assert!(account.batch_void || known.used <= known.registered);
            }
        }
    }
}
