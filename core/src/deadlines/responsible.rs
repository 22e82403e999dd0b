use std::collections::HashMap;

use chrono::NaiveDate;
use sea_orm::ConnectionTrait;

use super::entity::deadlines;
use crate::{
    ids::{OrganizationId, StaffId},
    people::{Role, holders},
    refusal::Fault,
};

/// The roles that answer for a unit.
const ANSWERING: [Role; 3] = [Role::VillageSecretary, Role::DepartmentHandler, Role::TownshipOffice];

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
    holders(connection, unit, &ANSWERING, today).await
}

/// Of these deadlines, those of which somebody is told. Asks once per unit.
///
/// # Errors
/// When the database does not answer.
pub async fn those_of<'a>(
    connection: &impl ConnectionTrait,
    deadlines: &'a [deadlines::Model],
    person: StaffId,
    today: NaiveDate,
) -> Result<Vec<&'a deadlines::Model>, Fault> {
    let mut answers_for: HashMap<OrganizationId, bool> = HashMap::new();
    let mut theirs = Vec::new();
    for deadline in deadlines {
        let is_told = match (deadline.responsible_staff_id, deadline.responsible_unit_id) {
            (Some(staff), _) => staff == person,
            (None, None) => false,
            (None, Some(unit)) => match answers_for.get(&unit) {
                Some(answers) => *answers,
                None => {
                    let answers = holders(connection, unit, &ANSWERING, today).await?.contains(&person);
                    answers_for.insert(unit, answers);
                    answers
                }
            },
        };
        if is_told {
            theirs.push(deadline);
        }
    }
    Ok(theirs)
}
