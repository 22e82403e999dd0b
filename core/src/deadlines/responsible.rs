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
    match named(deadline) {
        Some(Named::Person(staff)) => Ok(vec![staff]),
        Some(Named::Unit(unit)) => holders(connection, unit, &ANSWERING, today).await,
        None => Ok(Vec::new()),
    }
}

/// Whom a deadline names.
enum Named {
    Person(StaffId),
    /// Whoever answers for it.
    Unit(OrganizationId),
}

/// The person by name comes before the unit.
fn named(deadline: &deadlines::Model) -> Option<Named> {
    let person = deadline.responsible_staff_id.map(Named::Person);
    person.or_else(|| deadline.responsible_unit_id.map(Named::Unit))
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
        let is_told = match named(deadline) {
            Some(Named::Person(staff)) => staff == person,
            None => false,
            Some(Named::Unit(unit)) => match answers_for.get(&unit) {
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
