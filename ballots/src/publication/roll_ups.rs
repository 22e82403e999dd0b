//! Roll-ups over boxes whose own figures are out already.
//!
//! A box's totals stand in its signed bundle, or they do not: nothing can be hidden there afterwards. What can be left out
//! is the sum over several boxes. *rest(R)*: the people under a roll-up R who are in no published box and under no shown
//! roll-up below R; anybody can compute their sum. Every rest has to be nobody or at least k_min answers. Shown sums are
//! nested, so their rests are disjoint and whatever can be computed is a union of rests and published boxes. Decided from
//! counts only, never from answers.

use std::collections::{BTreeMap, BTreeSet};

use super::BadTree;

/// A box, or a sum over what is under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    /// A sum; the one over everything has nothing above it and stands first.
    RollUp { above: Option<usize> },
    Box {
        above: usize,
        /// Who is in it.
        people: u32,
        /// How many of them said something.
        answers: u32,
        /// Its figures are out.
        is_published: bool,
    },
}

impl Node {
    fn above(self) -> Option<usize> {
        match self {
            Self::RollUp { above } => above,
            Self::Box { above, .. } => Some(above),
        }
    }
}

/// Which roll-ups may be shown.
///
/// # Errors
/// When the nodes are not one tree with boxes at its ends only.
pub fn roll_ups(nodes: &[Node], k_min: u32) -> Result<BTreeSet<usize>, BadTree> {
    for (index, node) in nodes.iter().enumerate() {
        match node.above() {
            None if index > 0 => return Err(BadTree::Root),
            Some(_) if index == 0 => return Err(BadTree::Root),
            Some(above) if above >= index || matches!(nodes[above], Node::Box { .. }) => {
                return Err(BadTree::Order(index));
            }
            _ => {}
        }
    }
    let mut shown: BTreeSet<_> =
        (0..nodes.len()).filter(|index| matches!(nodes[*index], Node::RollUp { .. })).collect();
    loop {
        let rests = rests(nodes, &shown);
        let is_small = |rest: &Rest| rest.people > 0 && rest.answers < u64::from(k_min);
        let Some(offender) = rests.iter().find(|(_, rest)| is_small(rest)).map(|(roll_up, _)| *roll_up) else {
            return Ok(shown);
        };
        // Hiding a roll-up below adds its rest to this one's; one without a rest would not help.
        let below = shown
            .iter()
            .copied()
            .filter(|below| nearest_shown(nodes, &shown, *below) == Some(offender) && under(nodes, *below).people > 0);
        let smallest = below.min_by_key(|below| (under(nodes, *below).answers, *below));
        shown.remove(&smallest.unwrap_or(offender));
    }
}

#[derive(Default)]
struct Rest {
    people: u64,
    answers: u64,
}

impl Rest {
    fn add(&mut self, people: u32, answers: u32) {
        self.people += u64::from(people);
        self.answers += u64::from(answers);
    }
}

/// The rest of each shown roll-up.
fn rests(nodes: &[Node], shown: &BTreeSet<usize>) -> BTreeMap<usize, Rest> {
    let mut rests: BTreeMap<usize, Rest> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        if let Node::Box { people, answers, is_published: false, .. } = *node
            && let Some(roll_up) = nearest_shown(nodes, shown, index)
        {
            rests.entry(roll_up).or_default().add(people, answers);
        }
    }
    rests
}

/// Who is in the unpublished boxes under a node.
fn under(nodes: &[Node], node: usize) -> Rest {
    let mut rest = Rest::default();
    for (index, candidate) in nodes.iter().enumerate() {
        if let Node::Box { people, answers, is_published: false, .. } = *candidate
            && ancestors(nodes, index).any(|above| above == node)
        {
            rest.add(people, answers);
        }
    }
    rest
}

fn nearest_shown(nodes: &[Node], shown: &BTreeSet<usize>, node: usize) -> Option<usize> {
    ancestors(nodes, node).find(|above| shown.contains(above))
}

fn ancestors(nodes: &[Node], node: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(nodes[node].above(), |above| nodes[*above].above())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::{super::oracle, *};

    const K_MIN: u32 = 10;

    fn sum(above: Option<usize>) -> Node {
        Node::RollUp { above }
    }

    /// A box in which everybody answered; published from ten on.
    fn a_box(above: usize, answers: u32) -> Node {
        Node::Box { above, people: answers, answers, is_published: answers >= K_MIN }
    }

    #[rstest]
    #[case::all_published(&[sum(None), a_box(0, 30), a_box(0, 12)], &[0])]
    #[case::a_small_box_can_be_subtracted(&[sum(None), a_box(0, 30), a_box(0, 3)], &[])]
    #[case::an_empty_box_hides_nothing(&[sum(None), a_box(0, 30), a_box(0, 0)], &[0])]
    #[case::nine_in_two_boxes(&[sum(None), a_box(0, 30), a_box(0, 5), a_box(0, 4)], &[])]
    #[case::ten_in_two_boxes(&[sum(None), a_box(0, 30), a_box(0, 5), a_box(0, 5)], &[0])]
    #[case::only_small_boxes(&[sum(None), a_box(0, 6), a_box(0, 7)], &[0])]
    // The first village's three leave with the township's sum: the second village has nothing to hide them behind.
    #[case::a_village_without_a_rest_does_not_help(
        &[sum(None), sum(Some(0)), sum(Some(0)), a_box(1, 30), a_box(1, 3), a_box(2, 40)], &[2])]
    // The second village's sum is given up, so that the township's can stay: three and eight are eleven.
    #[case::a_village_with_a_rest_helps(
        &[sum(None), sum(Some(0)), sum(Some(0)), a_box(1, 30), a_box(1, 3), a_box(2, 40), a_box(2, 8)], &[0])]
    #[case::the_smaller_of_two_is_given_up(
        &[sum(None), sum(Some(0)), sum(Some(0)), a_box(0, 4), a_box(1, 9), a_box(1, 9), a_box(2, 8), a_box(2, 9)], &[0, 1])]
    fn a_roll_up_goes_when_it_would_tell_of_few(#[case] nodes: &[Node], #[case] expected: &[usize]) {
        assert_eq!(roll_ups(nodes, K_MIN).unwrap(), expected.iter().copied().collect());
    }

    #[test]
    fn many_people_with_few_answers_are_few() {
        let silent = Node::Box { above: 0, people: 40, answers: 4, is_published: false };
        assert_eq!(roll_ups(&[sum(None), a_box(0, 30), silent], K_MIN).unwrap(), BTreeSet::new());
        // That nobody of three answered is told of three, too.
        let nobody = Node::Box { above: 0, people: 3, answers: 0, is_published: false };
        assert_eq!(roll_ups(&[sum(None), a_box(0, 30), nobody], K_MIN).unwrap(), BTreeSet::new());
    }

    #[test]
    fn boxes_stand_at_the_ends_of_one_tree() {
        assert_eq!(roll_ups(&[sum(None), sum(None)], K_MIN), Err(BadTree::Root));
        assert_eq!(roll_ups(&[a_box(0, 3)], K_MIN), Err(BadTree::Root));
        assert_eq!(roll_ups(&[sum(None), a_box(0, 3), a_box(1, 3)], K_MIN), Err(BadTree::Order(2)));
        assert_eq!(roll_ups(&[sum(None), sum(Some(2)), sum(Some(0))], K_MIN), Err(BadTree::Order(1)));
        assert_eq!(roll_ups(&[], K_MIN), Ok(BTreeSet::new()));
    }

    fn any_nodes() -> impl Strategy<Value = Vec<Node>> {
        let a_box = (any::<proptest::sample::Index>(), prop_oneof![0..12u32, 8..40u32], 0..5u32);
        (proptest::collection::vec(any::<proptest::sample::Index>(), 0..4), proptest::collection::vec(a_box, 1..9))
            .prop_map(|(roll_ups, boxes)| {
                let mut nodes = vec![sum(None)];
                for above in roll_ups {
                    nodes.push(sum(Some(above.index(nodes.len()))));
                }
                let sums = nodes.len();
                nodes.extend(boxes.into_iter().map(|(above, people, silent)| Node::Box {
                    above: above.index(sums),
                    people,
                    answers: people.saturating_sub(silent),
                    is_published: people >= K_MIN && people.saturating_sub(silent) >= 5,
                }));
                nodes
            })
    }

    /// The unpublished boxes in each group that can be computed from published boxes and shown roll-ups.
    fn unpublished_in_derivable_groups(nodes: &[Node], shown: &BTreeSet<usize>) -> Vec<Rest> {
        let cells: Vec<usize> =
            (0..nodes.len()).filter(|index| matches!(nodes[*index], Node::Box { people: 1.., .. })).collect();
        let published = cells.iter().filter(|cell| matches!(nodes[**cell], Node::Box { is_published: true, .. }));
        let boxes = published.map(|known| cells.iter().map(|cell| cell == known).collect());
        let sums = shown
            .iter()
            .map(|sum| cells.iter().map(|cell| ancestors(nodes, *cell).any(|above| above == *sum)).collect::<Vec<_>>());
        let known: Vec<_> = boxes.chain(sums).collect();
        let rest = |group: Vec<usize>| {
            let mut rest = Rest::default();
            for cell in group {
                if let Node::Box { people, answers, is_published: false, .. } = nodes[cells[cell]] {
                    rest.add(people, answers);
                }
            }
            rest
        };
        oracle::derivable_groups(&known, cells.len()).into_iter().map(rest).collect()
    }

    #[test]
    fn the_oracle_finds_the_leak_of_a_sum_beside_its_boxes() {
        let nodes = [sum(None), a_box(0, 30), a_box(0, 3)];
        let groups = unpublished_in_derivable_groups(&nodes, &BTreeSet::from([0]));
        assert!(groups.iter().any(|rest| rest.people == 3));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1600))]
        #[test]
        fn no_combination_of_boxes_and_roll_ups_isolates_few_answers(nodes in any_nodes()) {
            let shown = roll_ups(&nodes, K_MIN).unwrap();
            for rest in unpublished_in_derivable_groups(&nodes, &shown) {
                prop_assert!(
                    rest.people == 0 || rest.answers >= u64::from(K_MIN),
                    "{} answers of {} people can be computed from {shown:?}", rest.answers, rest.people
                );
            }
        }
    }
}
