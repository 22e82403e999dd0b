//! When what waits in the box goes into the public log. Never one envelope alone: whoever saw somebody post one could find it.

use chrono::TimeDelta;

/// So many envelopes go at once.
pub const FULL_BATCH: usize = 10;
/// Two are the fewest that may go before the close.
const FEWEST: usize = 2;

/// Whether the waiting envelopes go into the log now.
///
/// | waiting | since the last batch | |
/// |---|---|---|
/// | 10 or more | | yes |
/// | 2 to 9 | `longest` or more | yes |
/// | 1 | | only when the box is shut |
#[must_use]
pub fn is_due(waiting: usize, since_last: TimeDelta, longest: TimeDelta) -> bool {
    waiting >= FULL_BATCH || (waiting >= FEWEST && since_last >= longest)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::full(10, 0, true)]
    #[case::nearly_full(9, 59, false)]
    #[case::waited_long_enough(2, 60, true)]
    #[case::alone(1, 10_000, false)]
    #[case::nothing(0, 10_000, false)]
    fn a_batch_goes_when_it_hides_its_envelopes(#[case] waiting: usize, #[case] minutes: i64, #[case] due: bool) {
        assert_eq!(is_due(waiting, TimeDelta::minutes(minutes), TimeDelta::minutes(60)), due);
    }
}
