//! Which boxes a survey has: one for each thing asked about, unit and class of electors, and none in which people could be
//! recognized.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::FEWEST_ELIGIBLE;
use crate::{
    ids::{OrganizationId, StaffId},
    people::RosterGroup,
};

/// Who or what is asked about. Without a village everybody in the township is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topic {
    /// As it is shown: a name with its office, a unit. None where the survey has one topic, its title.
    pub evaluatee: Option<String>,
    pub staff: Option<StaffId>,
    pub organization: Option<OrganizationId>,
    /// Only the residents of this village are asked.
    pub village: Option<OrganizationId>,
}

/// How many electors of one class live in one village.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Electors {
    pub village: OrganizationId,
    pub village_name: String,
    pub class: RosterGroup,
    pub eligible: usize,
}

/// A box to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedBox {
    /// Position among the topics.
    pub topic: usize,
    pub unit: OrganizationId,
    pub unit_name: String,
    pub villages: Vec<OrganizationId>,
    pub class: RosterGroup,
    pub eligible: usize,
}

/// A group that is not asked, because among so few nobody would be hidden. Said openly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = GroupNotAsked)]
pub struct NotHeld {
    pub unit_name: String,
    pub class: RosterGroup,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluatee: Option<String>,
    /// Who would have been rated: that person is not told.
    #[serde(default, rename = "staff_id", skip_serializing_if = "Option::is_none")]
    pub staff: Option<StaffId>,
    #[serde(default, rename = "organization_id", skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    pub eligible: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub boxes: Vec<PlannedBox>,
    pub not_held: Vec<NotHeld>,
}

/// Plans the boxes.
///
/// `electors` tells who may be asked about a topic: whoever is rated is not. A group of at least [`FEWEST_ELIGIBLE`] has a box of its own. Smaller ones of the same class share one of the township,
/// where the topic is not one village's own; together too small, they are not asked.
#[must_use]
pub fn plan(
    township: (OrganizationId, &str),
    topics: &[Topic],
    classes: &[RosterGroup],
    electors: impl Fn(&Topic) -> Vec<Electors>,
) -> Plan {
    let mut plan = Plan::default();
    for (number, topic) in topics.iter().enumerate() {
        let electors = electors(topic);
        for class in classes {
            let concerned = electors.iter().filter(|group| {
                group.class == *class
                    && group.eligible > 0
                    && topic.village.is_none_or(|village| village == group.village)
            });
            let (large, small): (Vec<_>, Vec<_>) = concerned.partition(|group| group.eligible >= FEWEST_ELIGIBLE);
            plan.boxes.extend(large.into_iter().map(|group| PlannedBox {
                topic: number,
                unit: group.village,
                unit_name: group.village_name.clone(),
                villages: vec![group.village],
                class: *class,
                eligible: group.eligible,
            }));
            let together: usize = small.iter().map(|group| group.eligible).sum();
            if topic.village.is_none() && together >= FEWEST_ELIGIBLE {
                let names: Vec<_> = small.iter().map(|group| group.village_name.as_str()).collect();
                plan.boxes.push(PlannedBox {
                    topic: number,
                    unit: township.0,
                    unit_name: format!("{}（{}）", township.1, names.join("、")),
                    villages: small.iter().map(|group| group.village).collect(),
                    class: *class,
                    eligible: together,
                });
            } else {
                plan.not_held.extend(small.into_iter().map(|group| NotHeld {
                    unit_name: group.village_name.clone(),
                    class: *class,
                    evaluatee: topic.evaluatee.clone(),
                    staff: topic.staff,
                    organization: topic.organization,
                    eligible: group.eligible,
                }));
            }
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const TOWNSHIP: OrganizationId = OrganizationId(Uuid::from_u128(1));

    fn village(number: u128) -> OrganizationId {
        OrganizationId(Uuid::from_u128(100 + number))
    }

    fn electors(sizes: &[usize]) -> Vec<Electors> {
        let group = |(number, eligible): (u128, &usize)| Electors {
            village: village(number),
            village_name: format!("{number}村"),
            class: RosterGroup::Resident,
            eligible: *eligible,
        };
        (0..).zip(sizes).map(group).collect()
    }

    fn planned(topics: &[Topic], sizes: &[usize]) -> Plan {
        plan((TOWNSHIP, "云溪镇"), topics, &[RosterGroup::Resident], |_| electors(sizes))
    }

    #[test]
    fn a_village_of_thirty_has_its_own_box_and_smaller_ones_share_one() {
        let plan = planned(&[Topic::default()], &[30, 29, 5]);
        let units: Vec<_> = plan.boxes.iter().map(|planned| (planned.unit, planned.eligible)).collect();
        assert_eq!(units, [(village(0), 30), (TOWNSHIP, 34)]);
        assert_eq!(plan.boxes[1].unit_name, "云溪镇（1村、2村）");
        assert_eq!(plan.boxes[1].villages, [village(1), village(2)]);
        assert!(plan.not_held.is_empty());
    }

    #[test]
    fn groups_that_are_too_small_together_are_not_asked_and_it_is_said() {
        let plan = planned(&[Topic::default()], &[100, 20, 9]);
        assert_eq!(plan.boxes.len(), 1);
        let said: Vec<_> = plan.not_held.iter().map(|group| (group.unit_name.as_str(), group.eligible)).collect();
        assert_eq!(said, [("1村", 20), ("2村", 9)]);
    }

    #[test]
    fn what_is_one_villages_own_is_not_shared_with_its_neighbours() {
        let own = Topic { evaluatee: Some("1村党支部".into()), village: Some(village(1)), ..Topic::default() };
        let plan = planned(&[own], &[100, 29, 29]);
        assert!(plan.boxes.is_empty());
        assert_eq!(plan.not_held.len(), 1);
    }

    #[test]
    fn classes_never_share_a_box() {
        let mut groups = electors(&[100, 20]);
        groups
            .extend(electors(&[20, 20]).into_iter().map(|group| Electors { class: RosterGroup::PartyMember, ..group }));
        let classes = [RosterGroup::Resident, RosterGroup::PartyMember];
        let plan = plan((TOWNSHIP, "云溪镇"), &[Topic::default()], &classes, |_| groups.clone());
        let made: Vec<_> = plan.boxes.iter().map(|planned| (planned.class, planned.unit, planned.eligible)).collect();
        assert_eq!(made, [(RosterGroup::Resident, village(0), 100), (RosterGroup::PartyMember, TOWNSHIP, 40)]);
        assert_eq!(plan.not_held.len(), 1);
    }

    proptest! {
        #[test]
        fn nobody_is_asked_in_a_small_box_and_nobody_is_asked_or_left_out_twice(sizes in proptest::collection::vec(0..80usize, 0..8)) {
            let plan = planned(&[Topic::default()], &sizes);
            prop_assert!(plan.boxes.iter().all(|planned| planned.eligible >= FEWEST_ELIGIBLE));
            let mut asked: Vec<_> = plan.boxes.iter().flat_map(|planned| &planned.villages).collect();
            let people: usize = plan.boxes.iter().map(|planned| planned.eligible).sum();
            let left_out: usize = plan.not_held.iter().map(|group| group.eligible).sum();
            prop_assert_eq!(people + left_out, sizes.iter().sum::<usize>());
            let before = asked.len();
            asked.sort_unstable();
            asked.dedup();
            prop_assert_eq!(asked.len(), before);
        }
    }
}
