//! Whom a matter is about (1.8 回避): units and persons who are kept out of it.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter,
    sea_query::{Expr, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{authorization::StaffReach, entity::concerns};
use crate::{
    ids::{CountyId, EntryId, OrganizationId, StaffId},
    refusal::Fault,
    storage::UnitOfWork,
    subject::SubjectRef,
};

/// Units and persons.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Concerns {
    pub organizations: Vec<OrganizationId>,
    pub staff: Vec<StaffId>,
}

impl Concerns {
    /// Adds those of another matter, nobody twice.
    pub fn join(&mut self, other: Self) {
        for id in other.organizations {
            if !self.organizations.contains(&id) {
                self.organizations.push(id);
            }
        }
        for id in other.staff {
            if !self.staff.contains(&id) {
                self.staff.push(id);
            }
        }
    }
}

/// Writes down whom a matter is about.
///
/// # Errors
/// When the database does not answer.
pub async fn record(unit: &UnitOfWork, county: CountyId, subject: SubjectRef, about: &Concerns) -> Result<(), Fault> {
    let row = |organization_id, staff_id| concerns::ActiveModel {
        id: Set(EntryId::new(unit.randomness(), unit.now())),
        county_id: Set(county),
        subject_kind: Set(subject.kind),
        subject_id: Set(subject.id),
        organization_id: Set(organization_id),
        staff_id: Set(staff_id),
    };
    let organizations = about.organizations.iter().map(|id| row(Some(*id), None));
    let rows: Vec<_> = organizations.chain(about.staff.iter().map(|id| row(None, Some(*id)))).collect();
    if !rows.is_empty() {
        concerns::Entity::insert_many(rows).exec_without_returning(unit.connection()).await?;
    }
    Ok(())
}

/// Whom a matter is about.
///
/// # Errors
/// When the database does not answer.
pub async fn of(connection: &impl ConnectionTrait, subject: SubjectRef) -> Result<Concerns, Fault> {
    let rows = concerns::Entity::find().filter(concerns::Column::SubjectId.eq(subject.id)).all(connection).await?;
    Ok(Concerns {
        organizations: rows.iter().filter_map(|row| row.organization_id).collect(),
        staff: rows.iter().filter_map(|row| row.staff_id).collect(),
    })
}

/// For a list's WHERE: leaves out the matters that concern the reader. `subject_id` is the listed table's column.
#[must_use]
pub fn not_concerning(reach: &StaffReach, subject_id: Expr) -> Condition {
    let concerned = Query::select()
        .expr(Expr::val(1))
        .from(concerns::Entity)
        .and_where(Expr::col((concerns::Entity, concerns::Column::SubjectId)).eq(subject_id))
        .cond_where(
            Condition::any()
                .add(concerns::Column::StaffId.is_in(reach.not_concerning_staff.iter().copied()))
                .add(concerns::Column::OrganizationId.is_in(reach.not_concerning_organizations.iter().copied())),
        )
        .take();
    Condition::all().add(Expr::exists(concerned).not())
}
