//! Roll-ups over the one tree of village, township and county.
//!
//! Who reads the figures of a township and of all its villages but one can subtract. *residual(P)*: the answers under P that
//! are under no published descendant of P. Every residual has to be nobody or enough; until it is, the smallest maximal
//! published descendant is hidden. Decided from counts only, never from answers. A second grouping (age, party
//! membership, hamlet) would need another tree over the same people, and there is no rule for two: none is offered.

use std::collections::BTreeSet;

/// A node of the tree with those who answered directly under it (a village's residents; usually none above).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Position of the unit above; the root has none. It stands before its children.
    pub parent: Option<usize>,
    pub answers: u32,
}

/// Why units are not one tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadTree {
    #[error("exactly the first unit has nobody above it")]
    Root,
    #[error("unit {0} stands before the unit above it")]
    Order(usize),
}

/// Which units' figures may be published.
///
/// # Errors
/// When the units are not one tree.
pub fn published(units: &[Unit], k_min: u32) -> Result<BTreeSet<usize>, BadTree> {
    for (index, unit) in units.iter().enumerate() {
        match unit.parent {
            None if index > 0 => return Err(BadTree::Root),
            Some(_) if index == 0 => return Err(BadTree::Root),
            Some(parent) if parent >= index => return Err(BadTree::Order(index)),
            _ => {}
        }
    }
    let below = sums(units);
    let mut shown: BTreeSet<_> = (0..units.len()).filter(|unit| below[*unit] >= u64::from(k_min)).collect();
    while let Some(offender) = shown.iter().copied().find(|unit| {
        let residual = residual(units, &below, &shown, *unit);
        residual > 0 && residual < u64::from(k_min)
    }) {
        let hidden = maximal_below(units, &shown, offender).into_iter().min_by_key(|unit| (below[*unit], *unit));
        shown.remove(&hidden.unwrap_or(offender));
    }
    Ok(shown)
}

/// Answers under each unit, itself included.
fn sums(units: &[Unit]) -> Vec<u64> {
    let mut sums: Vec<u64> = units.iter().map(|unit| unit.answers.into()).collect();
    for index in (1..units.len()).rev() {
        if let Some(parent) = units[index].parent {
            sums[parent] += sums[index];
        }
    }
    sums
}

fn residual(units: &[Unit], below: &[u64], shown: &BTreeSet<usize>, unit: usize) -> u64 {
    let told: u64 = maximal_below(units, shown, unit).into_iter().map(|unit| below[unit]).sum();
    below[unit] - told
}

/// The shown units under this one with no shown unit between.
fn maximal_below(units: &[Unit], shown: &BTreeSet<usize>, above: usize) -> Vec<usize> {
    let nearest_shown = |unit: usize| {
        let mut parent = units[unit].parent;
        while let Some(candidate) = parent {
            if shown.contains(&candidate) {
                return Some(candidate);
            }
            parent = units[candidate].parent;
        }
        None
    };
    shown.iter().copied().filter(|unit| nearest_shown(*unit) == Some(above)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::{super::oracle, *};

    const K_MIN: u32 = 10;

    fn tree(parents_and_answers: &[(Option<usize>, u32)]) -> Vec<Unit> {
        parents_and_answers.iter().map(|(parent, answers)| Unit { parent: *parent, answers: *answers }).collect()
    }

    #[rstest]
    #[case::all_large(&[(None, 0), (Some(0), 30), (Some(0), 40)], &[0, 1, 2])]
    #[case::a_small_village_hides_the_next_smallest(&[(None, 0), (Some(0), 9), (Some(0), 30), (Some(0), 40)], &[0, 3])]
    #[case::two_small_villages_hide_each_other(&[(None, 0), (Some(0), 5), (Some(0), 5), (Some(0), 40)], &[0, 3])]
    #[case::an_empty_village_hides_nobody(&[(None, 0), (Some(0), 0), (Some(0), 30)], &[0, 2])]
    #[case::ten_are_enough(&[(None, 0), (Some(0), 10), (Some(0), 10)], &[0, 1, 2])]
    #[case::nine_alone(&[(None, 9)], &[])]
    #[case::ten_alone(&[(None, 10)], &[0])]
    #[case::a_small_village_across_a_level(&[(None, 0), (Some(0), 0), (Some(0), 50), (Some(1), 8), (Some(1), 20)], &[0, 1, 2])]
    fn the_residual_rule(#[case] units: &[(Option<usize>, u32)], #[case] expected: &[usize]) {
        assert_eq!(published(&tree(units), K_MIN).unwrap(), expected.iter().copied().collect());
    }

    #[test]
    fn a_second_grouping_is_no_tree() {
        assert_eq!(published(&tree(&[(None, 9), (None, 9)]), K_MIN), Err(BadTree::Root));
        assert_eq!(published(&tree(&[(None, 9), (Some(2), 9), (Some(0), 9)]), K_MIN), Err(BadTree::Order(1)));
        assert_eq!(published(&tree(&[(Some(0), 9)]), K_MIN), Err(BadTree::Root));
        assert_eq!(published(&[], K_MIN), Ok(BTreeSet::new()));
    }

    /// The sizes of the groups of people that can be computed from the published sums.
    fn derivable_groups(units: &[Unit], shown: &BTreeSet<usize>) -> Vec<u64> {
        let cells: Vec<usize> = (0..units.len()).filter(|unit| units[*unit].answers > 0).collect();
        let is_under = |mut cell: usize, unit: usize| loop {
            if cell == unit {
                return true;
            }
            match units[cell].parent {
                Some(parent) => cell = parent,
                None => return false,
            }
        };
        let known: Vec<Vec<bool>> =
            shown.iter().map(|unit| cells.iter().map(|cell| is_under(*cell, *unit)).collect()).collect();
        let size = |group: Vec<usize>| group.into_iter().map(|cell| u64::from(units[cells[cell]].answers)).sum();
        oracle::derivable_groups(&known, cells.len()).into_iter().map(size).collect()
    }

    fn any_tree() -> impl Strategy<Value = Vec<Unit>> {
        let answers = prop_oneof![Just(0), 1..12u32, 8..40u32];
        proptest::collection::vec((any::<proptest::sample::Index>(), answers), 1..9).prop_map(|units| {
            let unit = |(index, (parent, answers)): (usize, (proptest::sample::Index, u32))| Unit {
                parent: (index > 0).then(|| parent.index(index)),
                answers,
            };
            units.into_iter().enumerate().map(unit).collect()
        })
    }

    #[test]
    fn the_oracle_finds_the_leak_that_plain_thresholds_leave() {
        let units = tree(&[(None, 0), (Some(0), 3), (Some(0), 30)]);
        assert!(derivable_groups(&units, &BTreeSet::from([0, 2])).contains(&3));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1600))]
        #[test]
        fn no_combination_of_published_figures_isolates_a_small_group(units in any_tree()) {
            let shown = published(&units, K_MIN).unwrap();
            for size in derivable_groups(&units, &shown) {
                prop_assert!(size >= u64::from(K_MIN), "a group of {size} can be computed from {shown:?}");
            }
        }
    }
}
