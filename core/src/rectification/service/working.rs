use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};
use serde_json::json;

use super::steps::{advance, context, hold, note};
use crate::{
    audit::{AuditEntry, digest_of},
    deadlines::{self, DeadlineStatus, entity::deadlines as deadline_rows},
    evidence::{self, Purpose},
    groups,
    ids::{CountyId, EntryId, FileId, RectificationId},
    outbox::{Notice, Recipient},
    people::{Actor, authorization::Action, entity::organizations},
    publication::{PublicText, check_residents},
    rectification::{
        Act,
        entity::{measures, rectifications},
    },
    refusal::Fault,
    storage::{Command, Done, Outcome, Store, UnitOfWork},
};

/// What the unit promises in public.
#[derive(Clone, Debug)]
pub struct Commitment {
    pub text: String,
    /// How it looks now.
    pub before_photos: Vec<FileId>,
    /// Words that are on the village's roster and name nobody here.
    pub no_names: Vec<String>,
}

/// Publishes the item with its commitment: from now on it stands on the board, and the village group is told.
///
/// # Errors
/// When the actor may not or the text is missing.
pub async fn publish(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: RectificationId,
    made: Commitment,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    let text = PublicText::parse("/commitment", &made.text)?.into_string();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let mut held = hold(unit, &actor, Action::WorkOnRectification, id).await?;
                let texts = [("/commitment".to_owned(), &*text)];
                let ordinary = check_residents(unit.connection(), held.item.village_id, &texts, &made.no_names).await?;
                held.item.commitment = text;
                held.item.published_at = Some(unit.now());
                let mut context = context(unit, &held.item).await?;
                context.has_plan &= !held.item.commitment.is_empty();
                advance(unit, &mut held.item, Act::Publish, &context).await?;
                note(unit, &actor, &held.item, "committed", &held.item.commitment, true).await?;
                evidence::attach(unit, &actor, county, id.into(), Purpose::Before, &made.before_photos).await?;
                let notices = tell_of_commitment(unit, &actor, &held.item).await?;
                let mut audit = AuditEntry::new("rectification_published", id);
                audit.after = Some(digest_of(&held.item.commitment));
                Ok(Done::new((), audit).telling(notices).recording(ordinary.recorded(id)))
            })
        })
        .await
}

async fn tell_of_commitment(
    unit: &UnitOfWork,
    actor: &Actor,
    item: &rectifications::Model,
) -> Result<Vec<Notice>, Fault> {
    let deadline = deadline_rows::Entity::find()
        .filter(deadline_rows::Column::SubjectId.eq(item.id))
        .filter(deadline_rows::Column::Status.eq(DeadlineStatus::Open))
        .one(unit.connection())
        .await?;
    let facts = json!({
        "goal": item.goal,
        "commitment": item.commitment,
        "due_on": deadline.and_then(|deadline| deadline.due_on),
    });
    tell_groups(unit, actor, item, "rectification_published", facts).await
}

/// The same news to every chat group of the village.
async fn tell_groups(
    unit: &UnitOfWork,
    actor: &Actor,
    item: &rectifications::Model,
    kind: &'static str,
    mut facts: serde_json::Value,
) -> Result<Vec<Notice>, Fault> {
    let village = organizations::Entity::find_by_id(item.village_id).one(unit.connection()).await?;
    facts["village"] = json!(village.map(|village| village.name));
    facts["village_id"] = json!(item.village_id);
    facts["title"] = json!(item.title);
    facts["author"] = json!(actor.staff().map(|staff| staff.id));
    let known = groups::of_village(unit.connection(), item.village_id).await?;
    Ok(known
        .into_iter()
        .map(|group| {
            Notice::new(Recipient::Group(group.id), kind, item.id)
                .township(item.township_id)
                .round(item.round)
                .facts(facts.clone())
        })
        .collect())
}

/// What was done since the last report.
#[derive(Clone, Debug)]
pub struct Progress {
    pub text: String,
    pub before_photos: Vec<FileId>,
    pub after_photos: Vec<FileId>,
    /// Measures that are finished now.
    pub finished_measures: Vec<EntryId>,
    /// Words that are on the village's roster and name nobody here.
    pub no_names: Vec<String>,
}

/// Reports progress, with photos. It stands on the board at once; a finished measure is told to the village group, too.
///
/// # Errors
/// When the actor may not or the text is missing.
pub async fn progress(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: RectificationId,
    made: Progress,
) -> Result<Outcome<()>, Fault> {
    work(store, command, county, id, made, Act::Progress).await
}

/// Says that it is done, with the unit's own evaluation (村级自评): now the residents judge.
///
/// # Errors
/// As [`progress`].
pub async fn report_done(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: RectificationId,
    made: Progress,
) -> Result<Outcome<()>, Fault> {
    work(store, command, county, id, made, Act::ReportDone).await
}

async fn work(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: RectificationId,
    made: Progress,
    act: Act,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    let text = PublicText::parse("/text", &made.text)?.into_string();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let mut held = hold(unit, &actor, Action::WorkOnRectification, id).await?;
                let texts = [("/text".to_owned(), &*text)];
                let ordinary = check_residents(unit.connection(), held.item.village_id, &texts, &made.no_names).await?;
                let context = context(unit, &held.item).await?;
                advance(unit, &mut held.item, act, &context).await?;
                let (kind, name) = match act {
                    Act::ReportDone => ("reported_done", "rectification_reported_done"),
                    _ => ("progress", "rectification_progress"),
                };
                let entry = note(unit, &actor, &held.item, kind, &text, true).await?;
                evidence::attach(unit, &actor, county, id.into(), Purpose::Before, &made.before_photos).await?;
                evidence::attach(unit, &actor, county, id.into(), Purpose::After, &made.after_photos).await?;
                let finished = finish_measures(unit, id, made.finished_measures).await?;
                if act == Act::ReportDone {
                    deadlines::end(unit, id.into(), Some("rectify"), DeadlineStatus::Met).await?;
                }
                let mut notices = Vec::new();
                // Not every report: a group that is told of everything reads nothing.
                if act == Act::ReportDone || !finished.is_empty() {
                    let facts = json!({
                        "finished": finished, "text": text, "reported_done": act == Act::ReportDone,
                    });
                    notices = tell_groups(unit, &actor, &held.item, "rectification_progress", facts).await?;
                }
                let notices = notices.into_iter().map(|notice| notice.step(entry.to_string()));
                Ok(Done::new((), AuditEntry::new(name, id)).telling(notices).recording(ordinary.recorded(id)))
            })
        })
        .await
}

/// Dates the measures that are finished now, and returns their texts. What was finished before keeps its date.
async fn finish_measures(
    unit: &UnitOfWork,
    item: RectificationId,
    finished: Vec<EntryId>,
) -> Result<Vec<String>, Fault> {
    let rows = measures::Entity::find()
        .filter(measures::Column::RectificationId.eq(item))
        .filter(measures::Column::Id.is_in(finished))
        .filter(measures::Column::DoneOn.is_null())
        .order_by_asc(measures::Column::Position)
        .all(unit.connection())
        .await?;
    measures::Entity::update_many()
        .col_expr(measures::Column::DoneOn, Expr::value(unit.today()))
        .filter(measures::Column::Id.is_in(rows.iter().map(|row| row.id)))
        .exec(unit.connection())
        .await?;
    Ok(rows.into_iter().map(|row| row.text).collect())
}
