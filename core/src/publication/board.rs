use std::collections::HashMap;

use chrono::{Datelike, Days, NaiveDate, NaiveTime};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Masked, MonthlyFigures, Name, ParkedMatter, Rates, monthly_figures, parked_matters};
use crate::{
    clock::shanghai_instant,
    complaints::queries::PAGE,
    deadlines::{
        DeadlineStatus, ExtensionStatus,
        entity::{deadlines, extensions},
    },
    evidence::{self, Purpose},
    ids::{FileId, OrganizationId, RectificationId, StaffId},
    people::{
        OrganizationKind,
        entity::{organizations, posts, staff},
    },
    rectification::{
        Pace, SMALLEST_SHOWN, State, Tally,
        entity::{entries, measures, rectifications, tallies},
    },
    refusal::{Fault, Refusal},
};

/// A village's public page.
#[derive(Debug, Serialize, ToSchema)]
pub struct VillageBoard {
    village_id: OrganizationId,
    village: String,
    township: String,
    as_of: NaiveDate,
    items: Vec<BoardItem>,
    /// Complaints that wait in public (挂账).
    parked: Vec<ParkedMatter>,
    this_month: MonthlyFigures,
    last_month: MonthlyFigures,
    rates_last_month: Rates,
}

/// A rectification item as the public sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct BoardItem {
    pub id: RectificationId,
    pub number: String,
    pub title: String,
    goal: String,
    commitment: String,
    pace: Pace,
    pub state: State,
    round: i32,
    lead_unit: String,
    /// Title of the post, and the surname of who holds it.
    responsible_title: String,
    #[schema(value_type = String)]
    responsible: Masked<Name>,
    measures: Vec<MeasureLine>,
    pub due_on: Option<NaiveDate>,
    original_due_on: Option<NaiveDate>,
    finished_on: Option<NaiveDate>,
    /// Until it was finished, or until today.
    pub days_overdue: i64,
    /// How the date was worked out.
    explanation: String,
    changes: Vec<DeadlineLine>,
    progress: Vec<ProgressLine>,
    photos: Vec<BoardPhoto>,
    /// Of the last round that was read, when enough people answered.
    satisfaction: Option<Satisfaction>,
}

#[derive(Debug, Serialize, ToSchema)]
struct MeasureLine {
    text: String,
    done_on: Option<NaiveDate>,
}

/// A deadline that was moved: who decided so is public, who asked is not.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadlineLine {
    old_due_on: Option<NaiveDate>,
    new_due_on: NaiveDate,
    reason: String,
    #[schema(value_type = String)]
    decided_by: Masked<Name>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ProgressLine {
    kind: String,
    text: String,
    on: NaiveDate,
}

#[derive(Debug, Serialize, ToSchema)]
struct BoardPhoto {
    file_id: FileId,
    purpose: Purpose,
}

#[derive(Debug, Serialize, ToSchema)]
struct Satisfaction {
    round: i32,
    answered: u32,
    /// Whole per cent who are satisfied at least basically; told between 5 and 95.
    share: u32,
}

/// A village in its township's list.
#[derive(Debug, Serialize, ToSchema)]
pub struct VillageLine {
    id: OrganizationId,
    name: String,
    in_progress: usize,
    overdue: usize,
    closed: usize,
}

/// An item for a group's monthly post.
#[derive(Debug, Serialize)]
pub struct PostItem {
    title: String,
    due_on: Option<NaiveDate>,
    days_overdue: i64,
}

/// The published items of a village that are not closed, most urgent first.
///
/// # Errors
/// When the database does not answer.
pub async fn items_in_progress(
    connection: &impl ConnectionTrait,
    village: OrganizationId,
    today: NaiveDate,
) -> Result<Vec<PostItem>, Fault> {
    let rows = published(connection, village).await?;
    let rows: Vec<_> = rows.into_iter().filter(|row| row.state != State::Closed).collect();
    let dates = last_deadlines(connection, rows.iter().map(|row| row.id.0)).await?;
    let mut items: Vec<_> = rows
        .into_iter()
        .map(|row| {
            let due_on = dates.get(&row.id.0).and_then(|deadline| deadline.due_on);
            PostItem { title: row.title, due_on, days_overdue: overdue(due_on, today) }
        })
        .collect();
    items.sort_by_key(|item| item.due_on);
    Ok(items)
}

pub(super) fn overdue(due_on: Option<NaiveDate>, today: NaiveDate) -> i64 {
    due_on.map_or(0, |due_on| (today - due_on).num_days().max(0))
}

async fn published(
    connection: &impl ConnectionTrait,
    village: OrganizationId,
) -> Result<Vec<rectifications::Model>, Fault> {
    Ok(rectifications::Entity::find()
        .filter(rectifications::Column::VillageId.eq(village))
        .filter(rectifications::Column::State.ne(State::NotStarted))
        .order_by_desc(rectifications::Column::Id)
        .limit(PAGE)
        .all(connection)
        .await?)
}

/// The date that was promised last for each item, also of one that is finished: what was late stays late.
pub(super) async fn last_deadlines(
    connection: &impl ConnectionTrait,
    subjects: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, deadlines::Model>, Fault> {
    let rows = deadlines::Entity::find()
        .filter(deadlines::Column::SubjectId.is_in(subjects))
        .filter(deadlines::Column::Status.ne(DeadlineStatus::Cancelled))
        .order_by_asc(deadlines::Column::Id)
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| (row.subject_id, row)).collect())
}

/// Days by which a deadline was or is missed, until it was met.
fn days_late(deadline: Option<&deadlines::Model>, today: NaiveDate) -> i64 {
    deadline.map_or(0, |deadline| overdue(deadline.due_on, deadline.ended_on.unwrap_or(today)))
}

/// A village's public page, in a fixed number of statements however many items there are.
///
/// # Errors
/// `not_found` when there is no such village.
pub async fn village_board(
    connection: &impl ConnectionTrait,
    village: OrganizationId,
    today: NaiveDate,
) -> Result<VillageBoard, Fault> {
    let place = organizations::Entity::find_by_id(village)
        .one(connection)
        .await?
        .filter(|place| place.kind == OrganizationKind::Village)
        .ok_or_else(Refusal::not_found)?;
    let township = match place.parent_id {
        Some(parent) => organizations::Entity::find_by_id(parent).one(connection).await?,
        None => None,
    };
    let first = today.with_day(1).unwrap_or(today);
    let before = (first - Days::new(1)).with_day(1).unwrap_or(first);
    let instant = |date| shanghai_instant(date, NaiveTime::MIN);
    let this_month = monthly_figures(connection, village, (instant(first), instant(today + Days::new(1)))).await?;
    let last_month = monthly_figures(connection, village, (instant(before), instant(first))).await?;
    Ok(VillageBoard {
        village_id: village,
        parked: parked_matters(connection, &place).await?,
        village: place.name,
        township: township.map(|township| township.name).unwrap_or_default(),
        as_of: today,
        items: items(connection, published(connection, village).await?, today).await?,
        this_month,
        rates_last_month: last_month.rates(),
        last_month,
    })
}

/// All that the items' lines need, one statement per table.
async fn items(
    connection: &impl ConnectionTrait,
    rows: Vec<rectifications::Model>,
    today: NaiveDate,
) -> Result<Vec<BoardItem>, Fault> {
    let ids: Vec<RectificationId> = rows.iter().map(|row| row.id).collect();
    let subjects: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let dates = last_deadlines(connection, subjects.iter().copied()).await?;
    let moved = extensions::Entity::find()
        .filter(extensions::Column::SubjectId.is_in(subjects.iter().copied()))
        .filter(extensions::Column::Status.eq(ExtensionStatus::Approved))
        .order_by_asc(extensions::Column::Id)
        .all(connection)
        .await?;
    let steps = measures::Entity::find()
        .filter(measures::Column::RectificationId.is_in(ids.iter().copied()))
        .order_by_asc(measures::Column::Position)
        .all(connection)
        .await?;
    let timeline = entries::Entity::find()
        .filter(entries::Column::RectificationId.is_in(ids.iter().copied()))
        .filter(entries::Column::IsPublic.eq(true))
        .order_by_asc(entries::Column::Id)
        .all(connection)
        .await?;
    let answers = tallies::Entity::find()
        .filter(tallies::Column::RectificationId.is_in(ids.iter().copied()))
        .all(connection)
        .await?;
    let photos = evidence::attached_to(connection, subjects).await?;
    let units = organizations::Entity::find()
        .filter(organizations::Column::Id.is_in(rows.iter().map(|row| row.lead_unit_id)))
        .all(connection)
        .await?;
    let deciders = moved.iter().filter_map(|change| change.decided_by);
    let people = staff::Entity::find()
        .filter(staff::Column::Id.is_in(rows.iter().map(|row| row.responsible_staff_id).chain(deciders)))
        .all(connection)
        .await?;
    let held = posts::Entity::find()
        .filter(posts::Column::StaffId.is_in(rows.iter().map(|row| row.responsible_staff_id)))
        .all(connection)
        .await?;
    let names = Masked::names(people.iter().map(|person| (person.id, person.name.as_str())));
    let name_of =
        |staff: Option<StaffId>| staff.and_then(|id| names.get(&id).cloned()).unwrap_or_else(|| Masked::name(""));
    Ok(rows
        .into_iter()
        .map(|row| {
            let deadline = dates.get(&row.id.0);
            let post = held
                .iter()
                .find(|post| post.staff_id == row.responsible_staff_id && post.organization_id == row.lead_unit_id);
            BoardItem {
                lead_unit: units
                    .iter()
                    .find(|unit| unit.id == row.lead_unit_id)
                    .map(|unit| unit.name.clone())
                    .unwrap_or_default(),
                responsible_title: post.map(|post| post.title.clone()).unwrap_or_default(),
                responsible: name_of(Some(row.responsible_staff_id)),
                measures: steps
                    .iter()
                    .filter(|step| step.rectification_id == row.id)
                    .map(|step| MeasureLine { text: step.text.clone(), done_on: step.done_on })
                    .collect(),
                due_on: deadline.and_then(|deadline| deadline.due_on),
                original_due_on: deadline.and_then(|deadline| deadline.original_due_on),
                finished_on: deadline.and_then(|deadline| deadline.ended_on),
                days_overdue: days_late(deadline, today),
                explanation: deadline.map(|deadline| deadline.explanation.clone()).unwrap_or_default(),
                changes: moved
                    .iter()
                    .filter(|change| change.subject_id == row.id.0)
                    .map(|change| DeadlineLine {
                        old_due_on: change.old_due_on,
                        new_due_on: change.new_due_on,
                        reason: change.reason.clone(),
                        decided_by: name_of(change.decided_by),
                    })
                    .collect(),
                progress: timeline
                    .iter()
                    .filter(|entry| entry.rectification_id == row.id)
                    .map(|entry| ProgressLine {
                        kind: entry.kind.clone(),
                        text: entry.text.clone(),
                        on: crate::clock::shanghai_date(entry.at),
                    })
                    .collect(),
                photos: photos
                    .iter()
                    .filter(|photo| photo.subject_id == row.id.0 && photo.purpose.is_public())
                    .map(|photo| BoardPhoto { file_id: photo.file_id, purpose: photo.purpose })
                    .collect(),
                satisfaction: satisfaction(&row, &answers),
                id: row.id,
                number: row.number,
                title: row.title,
                goal: row.goal,
                commitment: row.commitment,
                pace: row.pace,
                state: row.state,
                round: row.round,
            }
        })
        .collect())
}

/// Nothing of a round that people may still answer in, and nothing of few people.
fn satisfaction(row: &rectifications::Model, answers: &[tallies::Model]) -> Option<Satisfaction> {
    let read_round = match row.state {
        State::Evaluated | State::Closed => row.round,
        _ => row.round - 1,
    };
    let tally = Tally {
        eligible: 0,
        answers: answers
            .iter()
            .filter(|answer| answer.rectification_id == row.id && answer.round == read_round)
            .map(|answer| (answer.level, u32::try_from(answer.answers).unwrap_or(0)))
            .collect(),
    };
    let share = tally.shown_share()?;
    debug_assert!(tally.answered() >= SMALLEST_SHOWN);
    Some(Satisfaction { round: read_round, answered: tally.answered(), share })
}

/// The villages of a township with their numbers of items.
///
/// # Errors
/// `not_found` when there is no such township.
pub async fn township_board(
    connection: &impl ConnectionTrait,
    township: OrganizationId,
    today: NaiveDate,
) -> Result<Vec<VillageLine>, Fault> {
    let place = organizations::Entity::find_by_id(township)
        .one(connection)
        .await?
        .filter(|place| place.kind == OrganizationKind::Township)
        .ok_or_else(Refusal::not_found)?;
    let villages = organizations::Entity::find()
        .filter(organizations::Column::CountyId.eq(place.county_id))
        .filter(organizations::Column::ParentId.eq(township))
        .filter(organizations::Column::Kind.eq(OrganizationKind::Village))
        .order_by_asc(organizations::Column::Code)
        .all(connection)
        .await?;
    let rows = rectifications::Entity::find()
        .select_only()
        .columns([rectifications::Column::Id, rectifications::Column::VillageId, rectifications::Column::State])
        .filter(rectifications::Column::TownshipId.eq(township))
        .filter(rectifications::Column::State.ne(State::NotStarted))
        .into_tuple::<(RectificationId, OrganizationId, State)>()
        .all(connection)
        .await?;
    let late: Vec<Uuid> = deadlines::Entity::find()
        .select_only()
        .column(deadlines::Column::SubjectId)
        .filter(deadlines::Column::TownshipId.eq(township))
        .filter(deadlines::Column::Status.eq(DeadlineStatus::Open))
        .filter(deadlines::Column::DueOn.lt(today))
        .into_tuple::<Uuid>()
        .all(connection)
        .await?;
    Ok(villages
        .into_iter()
        .map(|village| {
            let of_village = || rows.iter().filter(|(_, place, _)| *place == village.id);
            VillageLine {
                in_progress: of_village().filter(|(.., state)| *state != State::Closed).count(),
                overdue: of_village().filter(|(id, ..)| late.contains(&id.0)).count(),
                closed: of_village().filter(|(.., state)| *state == State::Closed).count(),
                id: village.id,
                name: village.name,
            }
        })
        .collect())
}
