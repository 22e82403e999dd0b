//! 名册: the co-signer's own roll. It comes from a file that county people have looked through, not from the platform's
//! requests: who is not in it cannot be invented later.

mod cards;
mod enrolment;
mod guesses;

use std::collections::{BTreeMap, BTreeSet};

use qingfeng_ballots::{Hex, messages::SurveyId};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::SimpleExpr,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use cards::{Card, cards_lines, cards_sheet};
pub use enrolment::{Enrolled, Enrolment};
pub(crate) use guesses::Guesses;

use crate::{
    Authority,
    fault::{Fault, Refusal},
    storage::entity::{memberships, people},
};

/// A line of the file that the platform exports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollLine {
    pub resident: Uuid,
    pub village: Uuid,
    pub village_name: String,
    /// Ballot class (票种).
    pub class: String,
    pub name: String,
}

/// Whether a file holds everybody of its villages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Who is not in it stays.
    Additions,
    /// Who lives in its villages and is not in it is taken off.
    Complete,
}

/// What an import did, in persons.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Imported {
    pub added: usize,
    pub changed: usize,
    pub removed: usize,
}

/// A line of what the platform may read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollEntry {
    pub resident: Uuid,
    pub class: String,
    /// None before the card is printed.
    pub commitment: Option<Hex<32>>,
    pub device: Option<Hex<32>>,
    /// `phone` once enrolled, `none` before.
    pub channel: String,
}

/// A line for those who look the roll through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    pub village_name: String,
    pub name: String,
    pub classes: Vec<String>,
    pub has_card: bool,
    pub has_phone: bool,
    pub resident: Uuid,
}

impl RollLine {
    /// Reads a file of JSON lines.
    ///
    /// # Errors
    /// Names the line that is wrong.
    pub fn parse_file(text: &str) -> Result<Vec<Self>, Refusal> {
        let mut lines = Vec::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let line: Self = serde_json::from_str(line)
                .map_err(|error| Refusal::invalid(format!("名册第{}行不对：{error}", index + 1)))?;
            lines.push(line);
        }
        Ok(lines)
    }
}

impl Authority {
    /// Takes over a roll: all of it or, when a line is wrong, nothing.
    ///
    /// # Errors
    /// Refuses an empty roll, empty names, and a resident with two names or villages.
    pub async fn import_roll(&self, lines: &[RollLine], extent: Extent) -> Result<Imported, Fault> {
        let persons = persons(lines)?;
        let transaction = self.store.begin().await?;
        let mut imported = Imported::default();
        for (resident, (line, classes)) in &persons {
            let held = people::Entity::find_by_id(*resident).one(&transaction).await?;
            let model = people::Model {
                resident: *resident,
                village: line.village,
                village_name: line.village_name.clone(),
                name: line.name.clone(),
                card_hash: held.as_ref().and_then(|held| held.card_hash.clone()),
                commitment: held.as_ref().and_then(|held| held.commitment.clone()),
                device: held.as_ref().and_then(|held| held.device.clone()),
            };
            let before = classes_of(&transaction, *resident).await?;
            match held {
                None => {
                    people::Entity::insert(model.into_active_model()).exec_without_returning(&transaction).await?;
                    imported.added += 1;
                }
                Some(held) if held != model || before != *classes => {
                    model.into_active_model().reset_all().update(&transaction).await?;
                    imported.changed += 1;
                }
                Some(_) => continue,
            }
            memberships::Entity::delete_many()
                .filter(memberships::Column::Resident.eq(*resident))
                .exec(&transaction)
                .await?;
            let rows = classes
                .iter()
                .map(|class| memberships::ActiveModel { resident: Set(*resident), class: Set(class.clone()) });
            memberships::Entity::insert_many(rows).exec_without_returning(&transaction).await?;
        }
        if extent == Extent::Complete {
            imported.removed = remove_others(&transaction, &persons).await?;
        }
        transaction.commit().await?;
        Ok(imported)
    }

    /// The roll of one village, as the platform may read it: no names.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn roll_of(&self, village: Uuid) -> Result<Vec<RollEntry>, Fault> {
        let people = people::Entity::find()
            .filter(people::Column::Village.eq(village))
            .order_by_asc(people::Column::Resident)
            .all(self.store.reader())
            .await?;
        let classes = self.classes(Condition::all().add(living_in([village]))).await?;
        let mut entries = Vec::new();
        for person in people {
            let device = person.device.as_deref().and_then(|device| Hex::try_from(device).ok());
            for class in classes.get(&person.resident).into_iter().flatten() {
                entries.push(RollEntry {
                    resident: person.resident,
                    class: class.clone(),
                    commitment: person.commitment.as_deref().and_then(|commitment| Hex::try_from(commitment).ok()),
                    device,
                    channel: if device.is_some() { "phone" } else { "none" }.into(),
                });
            }
        }
        Ok(entries)
    }

    /// The roll with names, for those who look it through.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn review_roll(&self) -> Result<Vec<Reviewed>, Fault> {
        let people = people::Entity::find()
            .order_by_asc(people::Column::VillageName)
            .order_by_asc(people::Column::Name)
            .all(self.store.reader())
            .await?;
        let mut classes = self.classes(Condition::all()).await?;
        Ok(people
            .into_iter()
            .map(|person| Reviewed {
                classes: classes.remove(&person.resident).unwrap_or_default(),
                has_card: person.card_hash.is_some(),
                has_phone: person.device.is_some(),
                village_name: person.village_name,
                name: person.name,
                resident: person.resident,
            })
            .collect())
    }

    /// The village of this name.
    ///
    /// # Errors
    /// Refuses a name that no village or more than one has.
    pub async fn village_named(&self, name: &str) -> Result<Uuid, Fault> {
        let villages: BTreeSet<_> = people::Entity::find()
            .filter(people::Column::VillageName.eq(name))
            .all(self.store.reader())
            .await?
            .into_iter()
            .map(|person| person.village)
            .collect();
        let mut villages = villages.into_iter();
        match (villages.next(), villages.next()) {
            (Some(village), None) => Ok(village),
            (None, _) => Err(Refusal::invalid(format!("名册里没有{name}。")).into()),
            (Some(_), Some(_)) => Err(Refusal::invalid(format!("名册里有几个{name}，请用村的编号。")).into()),
        }
    }

    async fn classes(&self, of: Condition) -> Result<BTreeMap<Uuid, Vec<String>>, Fault> {
        let mut classes: BTreeMap<Uuid, Vec<String>> = BTreeMap::new();
        let rows = memberships::Entity::find()
            .filter(of)
            .order_by_asc(memberships::Column::Class)
            .all(self.store.reader())
            .await?;
        for row in rows {
            classes.entry(row.resident).or_default().push(row.class);
        }
        Ok(classes)
    }

    /// Residents of these villages and this class, on the own roll.
    pub(crate) async fn eligible(
        &self,
        connection: &impl ConnectionTrait,
        villages: &[Uuid],
        class: &str,
    ) -> Result<BTreeSet<Uuid>, Fault> {
        let members = memberships::Entity::find()
            .filter(memberships::Column::Class.eq(class))
            .filter(living_in(villages.iter().copied()))
            .all(connection)
            .await?;
        Ok(members.into_iter().map(|row| row.resident).collect())
    }
}

/// Memberships of those who live in these villages.
fn living_in(villages: impl IntoIterator<Item = Uuid>) -> SimpleExpr {
    let residents = people::Entity::find()
        .select_only()
        .column(people::Column::Resident)
        .filter(people::Column::Village.is_in(villages))
        .into_query();
    memberships::Column::Resident.in_subquery(residents)
}

type Persons<'a> = BTreeMap<Uuid, (&'a RollLine, BTreeSet<String>)>;

fn persons(lines: &[RollLine]) -> Result<Persons<'_>, Refusal> {
    let mut persons: Persons<'_> = BTreeMap::new();
    for line in lines {
        if line.name.trim().is_empty() || line.village_name.trim().is_empty() || line.class.trim().is_empty() {
            return Err(Refusal::invalid(format!("名册里{}缺姓名、村名或票种。", line.resident)));
        }
        let (first, classes) = persons.entry(line.resident).or_insert_with(|| (line, BTreeSet::new()));
        if (&first.name, first.village) != (&line.name, line.village) {
            return Err(Refusal::invalid(format!("名册里{}有两个姓名或两个村。", line.resident)));
        }
        classes.insert(line.class.clone());
    }
    if persons.is_empty() { Err(Refusal::invalid("名册是空的。")) } else { Ok(persons) }
}

async fn classes_of(connection: &impl ConnectionTrait, resident: Uuid) -> Result<BTreeSet<String>, Fault> {
    let rows = memberships::Entity::find().filter(memberships::Column::Resident.eq(resident)).all(connection).await?;
    Ok(rows.into_iter().map(|row| row.class).collect())
}

/// Takes off who lives in the file's villages and is not in it. Surveys that run keep the roll they were agreed on.
async fn remove_others(connection: &impl ConnectionTrait, persons: &Persons<'_>) -> Result<usize, Fault> {
    let villages: BTreeSet<_> = persons.values().map(|(line, _)| line.village).collect();
    let held = people::Entity::find().filter(people::Column::Village.is_in(villages)).all(connection).await?;
    let gone: Vec<_> =
        held.iter().map(|person| person.resident).filter(|resident| !persons.contains_key(resident)).collect();
    for resident in &gone {
        memberships::Entity::delete_many().filter(memberships::Column::Resident.eq(*resident)).exec(connection).await?;
        people::Entity::delete_by_id(*resident).exec(connection).await?;
    }
    Ok(gone.len())
}

/// A survey's name as the database keeps it.
pub(crate) fn key_of(sid: &SurveyId) -> Vec<u8> {
    sid.as_slice().to_vec()
}
