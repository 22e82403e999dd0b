//! The words of a township, for whoever may see them.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use super::{
    PAGE, TemplateState,
    entity::{Column, Entity, Model},
};
use crate::{
    ids::{CountyId, OrganizationId},
    outbox::{MessageState, RecipientKind, entity as messages, undelivered::sees_persons},
    people::{
        Actor, OrganizationKind,
        authorization::{Action, Reach, Subject, may, reach},
        concerns,
        entity::{organizations, residents, staff},
    },
    refusal::{Fault, Refusal},
    storage::Store,
};

/// The versions in force, of all townships.
///
/// # Errors
/// When the database does not answer.
pub async fn in_force(connection: &impl ConnectionTrait) -> Result<Vec<Model>, Fault> {
    Ok(Entity::find().filter(Column::State.eq(TemplateState::Released)).all(connection).await?)
}

/// A township's own words of a kind, if it has some.
///
/// # Errors
/// When the database does not answer.
pub async fn own(connection: &impl ConnectionTrait, id: OrganizationId, kind: &str) -> Result<Option<String>, Fault> {
    let row = Entity::find()
        .filter(Column::TownshipId.eq(id))
        .filter(Column::Kind.eq(kind))
        .filter(Column::State.eq(TemplateState::Released))
        .one(connection)
        .await?;
    Ok(row.and_then(|row| row.text))
}

/// The township, for whoever may do this with its words.
///
/// # Errors
/// `not_found` for what is no township; `forbidden`.
pub async fn township(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    action: Action,
    id: OrganizationId,
) -> Result<organizations::Model, Fault> {
    let place = organizations::Entity::find_by_id(id).one(connection).await?;
    let place = place.filter(|place| place.kind == OrganizationKind::Township).ok_or_else(Refusal::not_found)?;
    may(actor, action, &subject(place.county_id, id))?;
    Ok(place)
}

pub(super) fn subject(county: CountyId, township: OrganizationId) -> Subject {
    Subject { county: Some(county), township: Some(township), ..Subject::default() }
}

/// A version with the name of whoever proposed it.
#[derive(Clone, Debug)]
pub struct Version {
    pub template: Model,
    pub proposed_by: String,
}

/// What is in force and what waits in a township, of all kinds.
///
/// # Errors
/// As [`township`].
pub async fn list(store: &Store, actor: &Actor, id: OrganizationId) -> Result<Vec<Version>, Fault> {
    township(store.reader(), actor, Action::ViewMessageTemplates, id).await?;
    let rows = Entity::find()
        .filter(Column::TownshipId.eq(id))
        .filter(Column::State.is_in([TemplateState::Released, TemplateState::Proposed]))
        .all(store.reader())
        .await?;
    named(store, rows).await
}

/// All versions of a kind, latest first; `before` is the last one of the page before.
///
/// # Errors
/// As [`township`].
pub async fn history(
    store: &Store,
    actor: &Actor,
    id: OrganizationId,
    kind: &str,
    before: Option<i32>,
) -> Result<Vec<Version>, Fault> {
    township(store.reader(), actor, Action::ViewMessageTemplates, id).await?;
    let mut query = Entity::find().filter(Column::TownshipId.eq(id)).filter(Column::Kind.eq(kind));
    if let Some(before) = before {
        query = query.filter(Column::Version.lt(before));
    }
    named(store, query.order_by_desc(Column::Version).limit(PAGE).all(store.reader()).await?).await
}

async fn named(store: &Store, rows: Vec<Model>) -> Result<Vec<Version>, Fault> {
    let people = staff::Entity::find()
        .filter(staff::Column::Id.is_in(rows.iter().map(|row| row.proposed_by)))
        .all(store.reader())
        .await?;
    let name = |id| people.iter().find(|person| person.id == id).map(|person| person.name.clone());
    Ok(rows
        .into_iter()
        .map(|template| Version { proposed_by: name(template.proposed_by).unwrap_or_default(), template })
        .collect())
}

/// The facts of the latest message of this kind that went out and that the actor may see, and when it was written. Residents' messages
/// nobody sees: who gets one about a complaint is the one who brought it up.
///
/// # Errors
/// As [`township`].
pub async fn latest_facts(
    store: &Store,
    actor: &Actor,
    id: OrganizationId,
    recipient: RecipientKind,
    kind: &str,
) -> Result<Option<(serde_json::Value, DateTime<Utc>)>, Fault> {
    use messages::Column;
    township(store.reader(), actor, Action::ViewMessageTemplates, id).await?;
    let Reach::Staff(reach) = reach(actor, Action::ViewMessages) else { return Ok(None) };
    let is_shown = match recipient {
        RecipientKind::Group => true,
        RecipientKind::Staff => sees_persons(actor),
        RecipientKind::Resident => false,
    };
    if !is_shown || !reach.townships.contains(&id) {
        return Ok(None);
    }
    let message = messages::Entity::find()
        .filter(Column::TownshipId.eq(id))
        .filter(Column::State.eq(MessageState::Sent))
        .filter(Column::RecipientKind.eq(recipient))
        .filter(Column::Kind.eq(kind))
        .filter(concerns::not_concerning(&reach, Expr::col((messages::Entity, Column::SubjectId))))
        .order_by_desc(Column::Id)
        .one(store.reader())
        .await?;
    Ok(message.map(|message| (message.facts, message.created_at)))
}

/// The names of the people of a township: residents on its rosters, and staff in its posts.
///
/// # Errors
/// When the database does not answer.
pub async fn names(
    connection: &impl ConnectionTrait,
    county: CountyId,
    id: OrganizationId,
) -> Result<Vec<String>, Fault> {
    let mut names: Vec<String> = residents::Entity::find()
        .select_only()
        .column(residents::Column::Name)
        .distinct()
        .filter(residents::Column::TownshipId.eq(id))
        .filter(residents::Column::Active.eq(true))
        .into_tuple()
        .all(connection)
        .await?;
    // A county has some thousands of staff, who move between its townships.
    let staff: Vec<String> = staff::Entity::find()
        .select_only()
        .column(staff::Column::Name)
        .distinct()
        .filter(staff::Column::CountyId.eq(county))
        .filter(staff::Column::Active.eq(true))
        .into_tuple()
        .all(connection)
        .await?;
    names.extend(staff);
    Ok(names)
}
