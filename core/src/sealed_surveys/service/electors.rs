//! Who may be asked: everybody of a village and class, but nobody about himself.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    super::planning::{Electors, Topic},
    topics::Places,
};
use crate::{
    ids::{OrganizationId, StaffId},
    people::{
        RosterGroup,
        entity::{posts, residents},
    },
    refusal::Fault,
    storage::UnitOfWork,
};

/// The electors of a township, as far as the planning needs them.
pub(super) struct Roster {
    groups: Vec<Electors>,
    /// Residents who hold an office: with their place, class and units.
    in_office: Vec<InOffice>,
}

struct InOffice {
    staff: StaffId,
    units: BTreeSet<OrganizationId>,
    village: OrganizationId,
    class: RosterGroup,
}

impl Roster {
    pub(super) async fn of(unit: &UnitOfWork, places: &Places) -> Result<Self, Fault> {
        let counted: Vec<(OrganizationId, RosterGroup, i64)> = residents::Entity::find()
            .select_only()
            .column(residents::Column::VillageId)
            .column(residents::Column::RosterGroup)
            .column_as(residents::Column::Id.count(), "eligible")
            .filter(residents::Column::VillageId.is_in(places.villages.keys().copied()))
            .filter(residents::Column::Active.eq(true))
            .group_by(residents::Column::VillageId)
            .group_by(residents::Column::RosterGroup)
            .order_by_asc(residents::Column::VillageId)
            .into_tuple()
            .all(unit.connection())
            .await?;
        let group = |(village, class, eligible): (OrganizationId, RosterGroup, i64)| {
            let village_name = places.villages.get(&village)?.clone();
            Some(Electors { village, village_name, class, eligible: usize::try_from(eligible).ok()? })
        };
        let in_office = residents::Entity::find()
            .filter(residents::Column::VillageId.is_in(places.villages.keys().copied()))
            .filter(residents::Column::Active.eq(true))
            .filter(residents::Column::StaffId.is_not_null())
            .all(unit.connection())
            .await?;
        let mut units: BTreeMap<StaffId, BTreeSet<OrganizationId>> = BTreeMap::new();
        let held = held_today(unit)
            .filter(posts::Column::StaffId.is_in(in_office.iter().filter_map(|resident| resident.staff_id)))
            .all(unit.connection())
            .await?;
        for post in held {
            units.entry(post.staff_id).or_default().insert(post.organization_id);
        }
        let in_office = in_office.into_iter().filter_map(|resident| {
            let staff = resident.staff_id?;
            let units = units.get(&staff).cloned().unwrap_or_default();
            Some(InOffice { staff, units, village: resident.village_id, class: resident.roster_group })
        });
        Ok(Self { groups: counted.into_iter().filter_map(group).collect(), in_office: in_office.collect() })
    }

    /// The groups without whoever the topic rates.
    pub(super) fn about(&self, topic: &Topic) -> Vec<Electors> {
        let is_rated = |one: &InOffice| {
            topic.staff == Some(one.staff) || topic.organization.is_some_and(|unit| one.units.contains(&unit))
        };
        let without = |group: &Electors| {
            let rated = self.in_office.iter().filter(|one| is_rated(one));
            let rated = rated.filter(|one| (one.village, one.class) == (group.village, group.class)).count();
            Electors { eligible: group.eligible.saturating_sub(rated), ..group.clone() }
        };
        self.groups.iter().map(without).collect()
    }
}

/// Posts that are held today.
pub(super) fn held_today(unit: &UnitOfWork) -> sea_orm::Select<posts::Entity> {
    let today = unit.today();
    posts::Entity::find()
        .filter(posts::Column::FromDate.lte(today))
        .filter(Condition::any().add(posts::Column::ToDate.is_null()).add(posts::Column::ToDate.gte(today)))
}

/// Whom a box rates: the person, and everybody with a post in the unit.
pub(super) async fn rated(
    unit: &UnitOfWork,
    staff: Option<StaffId>,
    organization: Option<OrganizationId>,
) -> Result<BTreeSet<StaffId>, Fault> {
    let mut rated: BTreeSet<StaffId> = staff.into_iter().collect();
    if let Some(organization) = organization {
        let held = held_today(unit).filter(posts::Column::OrganizationId.eq(organization));
        rated.extend(held.all(unit.connection()).await?.into_iter().map(|post| post.staff_id));
    }
    Ok(rated)
}
