use chrono::NaiveDate;
use sea_orm::ConnectionTrait;

use super::entity::deadlines;
use crate::{
    ids::StaffId,
    people::{Role, holders},
    refusal::Fault,
};

/// Who is told of a deadline: the person by name, or else whoever answers for the unit.
///
/// # Errors
/// When the database does not answer.
pub async fn responsible(
    connection: &impl ConnectionTrait,
    deadline: &deadlines::Model,
    today: NaiveDate,
) -> Result<Vec<StaffId>, Fault> {
    if let Some(staff) = deadline.responsible_staff_id {
        return Ok(vec![staff]);
    }
    let Some(unit) = deadline.responsible_unit_id else { return Ok(Vec::new()) };
    let roles = [Role::VillageSecretary, Role::DepartmentHandler, Role::TownshipOffice];
    holders(connection, unit, &roles, today).await
}
