use chrono::NaiveDate;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};

use crate::{
    campaigns::plan::{Office, Place},
    ids::{CountyId, OrganizationId, StaffId},
    people::{
        OrganizationKind,
        entity::{organizations, posts},
    },
    refusal::Fault,
};

/// A unit that owes something, and the person in it who answers for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::campaigns) struct Owner {
    pub unit: OrganizationId,
    pub staff: Option<StaffId>,
}

/// An office that nobody holds: its reminders reach nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vacancy {
    pub office: String,
    pub unit: String,
}

/// The township as it is on a day: who holds which office where.
pub(in crate::campaigns) struct Establishment {
    county: CountyId,
    township: OrganizationId,
    units: Vec<organizations::Model>,
    posts: Vec<posts::Model>,
}

impl Establishment {
    pub(in crate::campaigns) async fn read(
        connection: &impl ConnectionTrait,
        county: CountyId,
        township: OrganizationId,
        on: NaiveDate,
    ) -> Result<Self, Fault> {
        let units = organizations::Entity::find()
            .filter(
                Condition::any()
                    .add(organizations::Column::Id.is_in([township, OrganizationId(county.0)]))
                    .add(organizations::Column::ParentId.eq(township)),
            )
            .order_by_asc(organizations::Column::Id)
            .all(connection)
            .await?;
        let posts = posts::Entity::find()
            .filter(posts::Column::OrganizationId.is_in(units.iter().map(|unit| unit.id)))
            .filter(posts::Column::FromDate.lte(on))
            .filter(Condition::any().add(posts::Column::ToDate.is_null()).add(posts::Column::ToDate.gte(on)))
            .order_by_asc(posts::Column::FromDate)
            .order_by_asc(posts::Column::Id)
            .all(connection)
            .await?;
        Ok(Self { county, township, units, posts })
    }

    /// Everybody who owes what this office owes: one per village for an office of the villages.
    pub(in crate::campaigns) fn owners(&self, office: &Office) -> Vec<Owner> {
        self.places(office).map(|unit| Owner { unit: unit.id, staff: self.holder(office, unit.id) }).collect()
    }

    /// The offices among these that have a role here and nobody in it.
    pub(super) fn vacancies<'o>(&self, offices: impl Iterator<Item = &'o Office>) -> Vec<Vacancy> {
        let mut vacancies = Vec::new();
        for office in offices.filter(|office| office.role.is_some()) {
            for unit in self.places(office).filter(|unit| self.holder(office, unit.id).is_none()) {
                vacancies.push(Vacancy { office: office.label.clone(), unit: unit.name.clone() });
            }
        }
        vacancies
    }

    fn places<'e>(&'e self, office: &'e Office) -> Box<dyn Iterator<Item = &'e organizations::Model> + 'e> {
        let of_kind = |kind| self.units.iter().filter(move |unit| unit.kind == kind);
        match office.place {
            Place::Village => Box::new(of_kind(OrganizationKind::Village)),
            Place::EachDepartment => Box::new(of_kind(OrganizationKind::Department)),
            Place::Department => {
                let named = of_kind(OrganizationKind::Department).find(|unit| is_named(&unit.name, &office.label));
                // A township without that department: the township itself answers.
                Box::new(named.or_else(|| self.unit(self.township)).into_iter())
            }
            Place::Township => Box::new(self.unit(self.township).into_iter()),
            // Cities are outside every installation; the county stands for them on the desk.
            Place::County | Place::City => Box::new(self.unit(OrganizationId(self.county.0)).into_iter()),
        }
    }

    fn unit(&self, id: OrganizationId) -> Option<&organizations::Model> {
        self.units.iter().find(|unit| unit.id == id)
    }

    /// Who holds the office in this unit: the one whose title says so, else whoever has the role longest.
    fn holder(&self, office: &Office, unit: OrganizationId) -> Option<StaffId> {
        let role = office.role?;
        let holders = || self.posts.iter().filter(|post| post.organization_id == unit && post.role == role);
        let titled = holders().find(|post| is_named(&post.title, &office.label));
        titled.or_else(|| holders().next()).map(|post| post.staff_id)
    }
}

/// Whether one name says the other with less or more around it: 云溪镇财政所 and 财政所, 镇专项行动办 and
/// 镇专项行动办（设在镇纪委）.
fn is_named(name: &str, label: &str) -> bool {
    let bare = |text: &str| text.split('（').next().unwrap_or_default().trim_start_matches('镇').to_owned();
    let (name, label) = (bare(name), bare(label));
    name.contains(&label) || label.contains(&name)
}
