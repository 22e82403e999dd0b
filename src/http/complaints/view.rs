//! How a complaint is shown: to its reporters, and to those who work on it. Nobody is told who brought it up.

use chrono::{DateTime, NaiveDate, Utc};
use qingfeng_core::{
    clock::shanghai_date,
    complaints::{
        Category, Channel, ComplaintKind, SatisfactionLevel, State,
        entity::complaints,
        queries::{self, Detail},
        verdict,
    },
    deadlines::{DeadlineStatus, entity::deadlines},
    evidence::{self, Purpose},
    ids::{ComplaintId, EntryId, FileId, OrganizationId},
    people::{
        Actor,
        authorization::{Action, may},
        concerns::Concerns,
        entity::organizations,
    },
    refusal::Fault,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Application;

/// A line of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComplaintLine {
    pub id: ComplaintId,
    pub number: String,
    pub title: String,
    pub category: Category,
    pub kind: Option<ComplaintKind>,
    pub state: State,
    pub round: i32,
    pub village_id: OrganizationId,
    pub lead_unit_id: Option<OrganizationId>,
    pub registered_at: DateTime<Utc>,
}

impl From<complaints::Model> for ComplaintLine {
    fn from(row: complaints::Model) -> Self {
        Self {
            id: row.id,
            number: row.number,
            title: row.title,
            category: row.category,
            kind: row.kind,
            state: row.state,
            round: row.round,
            village_id: row.village_id,
            lead_unit_id: row.lead_unit_id,
            registered_at: row.registered_at,
        }
    }
}

/// A complaint with its history.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComplaintView {
    #[serde(flatten)]
    line: ComplaintLine,
    body: String,
    place: String,
    channel: Channel,
    village_name: String,
    lead_unit_name: Option<String>,
    /// How many people brought the same matter up.
    reporters: usize,
    timeline: Vec<TimelineEntry>,
    deadlines: Vec<DeadlineView>,
    photos: Vec<Photo>,
    recordings: Vec<Recording>,
    ratings: Vec<RatingView>,
    /// The viewer's own rating of this round; for reporters.
    my_rating: Option<SatisfactionLevel>,
    /// What the viewer may do now.
    actions: Vec<&'static str>,
    /// Whom it is about; for the township office, which must not send it to them.
    concerns: Option<Concerns>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct TimelineEntry {
    id: EntryId,
    round: i32,
    /// `registered`, `dispatched`, `accepted`, `answered`, `reopened`, `closed`, …
    kind: String,
    text: String,
    #[schema(value_type = Option<Object>)]
    details: Option<serde_json::Value>,
    at: DateTime<Utc>,
}

/// A deadline and how it was worked out.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadlineView {
    pub kind: String,
    pub round: i32,
    /// None while the calendar of that year is not published.
    pub due_on: Option<NaiveDate>,
    pub original_due_on: Option<NaiveDate>,
    pub status: DeadlineStatus,
    /// Days past the date, while it is open.
    pub days_overdue: i64,
    pub explanation: String,
    pub extensions: i32,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Photo {
    pub file_id: FileId,
    pub purpose: Purpose,
}

/// A voice note, to be had from `GET /api/recordings/{id}`; left out for reporters who did not send it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Recording {
    pub id: FileId,
    pub seconds: i32,
}

/// A verdict, without the one who gave it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RatingView {
    round: i32,
    level: SatisfactionLevel,
    comment: Option<String>,
}

impl DeadlineView {
    pub fn new(row: deadlines::Model, today: NaiveDate) -> Self {
        let days_overdue = match (row.status, row.due_on) {
            (DeadlineStatus::Open, Some(due_on)) => (today - due_on).num_days().max(0),
            _ => 0,
        };
        Self {
            kind: row.kind,
            round: row.round,
            due_on: row.due_on,
            original_due_on: row.original_due_on,
            status: row.status,
            days_overdue,
            explanation: row.explanation,
            extensions: row.extensions,
        }
    }
}

/// The view for this actor.
pub(super) async fn show(
    application: &Application,
    actor: &Actor,
    receipt_digest: Option<Vec<u8>>,
    id: ComplaintId,
) -> Result<ComplaintView, Fault> {
    let store = &application.store;
    let Detail { complaint, subject, entries, ratings, reporters } = queries::detail(store, actor, id).await?;
    let rows = deadlines::Entity::find()
        .filter(deadlines::Column::SubjectId.eq(id))
        .order_by_asc(deadlines::Column::Id)
        .all(store.reader())
        .await?;
    let photos = evidence::attached_to(store.reader(), [id.0]).await?;
    let mut recordings = evidence::recordings_of(store.reader(), id).await?;
    recordings.retain(|one| may(actor, Action::ViewComplaint, &one.subject(&subject)).is_ok());
    let places = organizations::Entity::find()
        .filter(
            organizations::Column::Id.is_in([Some(complaint.village_id), complaint.lead_unit_id].into_iter().flatten()),
        )
        .all(store.reader())
        .await?;
    let name = |id| places.iter().find(|place| place.id == id).map(|place| place.name.clone());
    let me = reporters.iter().find(|reporter| match actor {
        Actor::Resident(resident) => reporter.resident_id == Some(resident.id),
        Actor::Receipt { .. } => receipt_digest.is_some() && reporter.receipt_digest == receipt_digest,
        _ => false,
    });
    let my_rating = me.and_then(|me| {
        ratings
            .iter()
            .find(|rating| rating.reporter_id == me.id && rating.round == complaint.round)
            .map(|rating| rating.level)
    });
    let is_office = may(actor, Action::DispatchComplaint, &subject).is_ok();
    // Only who could park it against the dissatisfaction needs to know.
    let anybody_dissatisfied = matches!(complaint.state, State::Answered | State::Rated)
        && may(actor, Action::ApproveParking, &subject).is_ok()
        && verdict(store.reader(), &complaint).await?.anybody_dissatisfied;
    let today = shanghai_date(store.clock().now());
    Ok(ComplaintView {
        village_name: name(complaint.village_id).unwrap_or_default(),
        lead_unit_name: complaint.lead_unit_id.and_then(name),
        reporters: reporters.len(),
        timeline: entries
            .into_iter()
            .map(|entry| TimelineEntry {
                id: entry.id,
                round: entry.round,
                kind: entry.kind,
                text: entry.text,
                details: entry.details,
                at: entry.at,
            })
            .collect(),
        deadlines: rows.into_iter().map(|row| DeadlineView::new(row, today)).collect(),
        photos: photos.into_iter().map(|photo| Photo { file_id: photo.file_id, purpose: photo.purpose }).collect(),
        recordings: recordings.into_iter().map(|one| Recording { id: one.id, seconds: one.seconds }).collect(),
        ratings: ratings
            .into_iter()
            .map(|rating| RatingView { round: rating.round, level: rating.level, comment: rating.comment })
            .collect(),
        my_rating,
        actions: actions(actor, &complaint, &subject, me.is_some() && my_rating.is_none(), anybody_dissatisfied),
        concerns: is_office
            .then_some(Concerns { organizations: subject.concerns_organizations, staff: subject.concerns_staff }),
        body: complaint.body.clone(),
        place: complaint.place.clone(),
        channel: complaint.channel,
        line: complaint.into(),
    })
}

/// What the viewer may do in this state, so that screens offer nothing that would be refused.
fn actions(
    actor: &Actor,
    complaint: &complaints::Model,
    subject: &qingfeng_core::people::authorization::Subject,
    may_still_rate: bool,
    anybody_dissatisfied: bool,
) -> Vec<&'static str> {
    use State as S;
    let state = complaint.state;
    let is_underway =
        !matches!(state, S::Registered | S::Classified | S::Closed | S::Merged | S::NotAccepted | S::Withdrawn);
    let offers: [(&str, Action, bool); 16] = [
        ("classify", Action::ClassifyComplaint, matches!(state, S::Registered | S::Classified)),
        ("refuse", Action::ClassifyComplaint, matches!(state, S::Registered | S::Classified)),
        ("dispatch", Action::DispatchComplaint, matches!(state, S::Classified | S::Reopened)),
        ("rectify", Action::CreateRectification, is_underway),
        ("merge", Action::MergeComplaints, matches!(state, S::Registered | S::Classified | S::Dispatched)),
        ("accept", Action::HandleComplaint, state == S::Dispatched),
        ("return", Action::HandleComplaint, state == S::Dispatched && complaint.returns == 0),
        ("transfer", Action::TransferComplaint, matches!(state, S::Dispatched | S::Working)),
        ("answer", Action::HandleComplaint, state == S::Working),
        ("request_extension", Action::RequestExtension, state == S::Working),
        ("park", Action::ApproveParking, state == S::Working || anybody_dissatisfied),
        ("resume", Action::ParkComplaint, matches!(state, S::Parked | S::ParkedUnsatisfied)),
        (
            "call_back",
            Action::CallBackReporter,
            matches!(state, S::Answered | S::Rated | S::ParkedUnsatisfied | S::Reopened),
        ),
        // Offered while somebody is dissatisfied, too: the refusal shows the rule.
        ("close", Action::CloseComplaint, matches!(state, S::Answered | S::Rated | S::Reopened)),
        (
            "rate",
            Action::RateComplaint,
            may_still_rate && matches!(state, S::Answered | S::Rated | S::ParkedUnsatisfied | S::Closed),
        ),
        ("withdraw", Action::WithdrawComplaint, matches!(state, S::Registered | S::Classified | S::Dispatched)),
    ];
    offers
        .into_iter()
        .filter(|(_, action, fits)| *fits && may(actor, *action, subject).is_ok())
        .map(|(name, ..)| name)
        .collect()
}
