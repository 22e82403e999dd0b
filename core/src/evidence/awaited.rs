//! Photos and voice notes that a platform holds for us: written down with the complaint they belong to, fetched afterwards,
//! each once. What cannot be had is told to the person who sent it.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DeriveActiveEnum, EntityTrait, EnumIter, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{LockBehavior, LockType},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Darkroom, Purpose,
    entity::{attachments, awaited_media, recordings},
    recording::seconds,
    upload::Developed,
};
use crate::{
    complaints::entity::complaints,
    ids::{ComplaintId, CountyId, EntryId, FileId, ResidentId},
    outbox::{self, Notice, Recipient},
    refusal::Fault,
    storage::{Store, UnitOfWork},
    subject::SubjectRef,
};

/// How long the platforms hold what was sent to them.
const HELD_FOR: TimeDelta = TimeDelta::days(3);
/// Pause after the first failure; doubled with each further one …
const PAUSE: TimeDelta = TimeDelta::minutes(1);
/// … up to 64 minutes.
const MOST_DOUBLINGS: i32 = 6;

/// One that waits to be fetched.
pub type Awaited = awaited_media::Model;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    Photo,
    Voice,
}

/// What a platform holds for us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformMedia {
    pub kind: MediaKind,
    /// The platform's name for it.
    pub reference: String,
    /// The account that it was sent to: no other one is given it.
    #[serde(default)]
    pub app_id: String,
    pub received_at: DateTime<Utc>,
}

/// Writes down what is to be fetched for a complaint, in the transaction that files it.
pub(crate) async fn expect(
    unit: &UnitOfWork,
    county: CountyId,
    complaint: ComplaintId,
    resident: ResidentId,
    media: &[PlatformMedia],
) -> Result<(), Fault> {
    if media.is_empty() {
        return Ok(());
    }
    let rows = media.iter().zip(0..).map(|(one, position)| awaited_media::ActiveModel {
        id: Set(EntryId::new(unit.randomness(), unit.now())),
        county_id: Set(county),
        complaint_id: Set(complaint),
        resident_id: Set(resident),
        kind: Set(one.kind),
        reference: Set(one.reference.clone()),
        app_id: Set(Some(one.app_id.clone()).filter(|app_id| !app_id.is_empty())),
        position: Set(position),
        attempts: Set(0),
        not_before: Set(unit.now()),
        received_at: Set(one.received_at),
    });
    awaited_media::Entity::insert_many(rows).exec_without_returning(unit.connection()).await?;
    Ok(())
}

/// How many are still to be fetched for a complaint.
pub(crate) async fn still_awaited(connection: &impl ConnectionTrait, complaint: ComplaintId) -> Result<usize, Fault> {
    let rows = awaited_media::Entity::find().filter(awaited_media::Column::ComplaintId.eq(complaint));
    Ok(usize::try_from(rows.count(connection).await?).unwrap_or(usize::MAX))
}

/// What is due to be fetched; it comes up again after a pause unless it is done by then.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(store: &Store, most: u64) -> Result<Vec<Awaited>, Fault> {
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let due = awaited_media::Entity::find()
                    .filter(awaited_media::Column::NotBefore.lte(unit.now()))
                    .order_by_asc(awaited_media::Column::NotBefore)
                    .limit(most)
                    .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
                    .all(unit.connection())
                    .await?;
                for one in &due {
                    awaited_media::Entity::update(awaited_media::ActiveModel {
                        id: Set(one.id),
                        attempts: Set(one.attempts + 1),
                        not_before: Set(unit.now() + PAUSE * (1 << one.attempts.clamp(0, MOST_DOUBLINGS))),
                        ..Default::default()
                    })
                    .exec(unit.connection())
                    .await?;
                }
                Ok(due)
            })
        })
        .await
}

impl awaited_media::Model {
    /// Whether the platform holds it no longer.
    #[must_use]
    pub fn is_lost(&self, now: DateTime<Utc>) -> bool {
        now - self.received_at >= HELD_FOR
    }
}

/// What was made of the bytes.
enum Taken {
    Photo(Developed),
    Recording { digest: String, seconds: i32 },
}

/// Gives the fetched bytes to the complaint. A photo is treated like any other that is uploaded.
///
/// # Errors
/// [`super::PhotoRefusal`], [`super::RecordingRefusal`]; `storage_full`.
pub async fn take(store: &Store, darkroom: &Darkroom, awaited: &Awaited, bytes: Vec<u8>) -> Result<(), Fault> {
    let taken = match awaited.kind {
        MediaKind::Photo => Taken::Photo(darkroom.develop(bytes).await?),
        MediaKind::Voice => {
            let seconds = seconds(&bytes).map_err(Fault::refused)?;
            let digest = darkroom.files().put(bytes).await?;
            Taken::Recording { digest, seconds: i32::try_from(seconds).unwrap_or(i32::MAX) }
        }
    };
    let awaited = awaited.clone();
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                // Another bot that was slower or quicker has fetched it, too.
                if !is_the_first(unit, &awaited).await? {
                    return Ok(());
                }
                match taken {
                    Taken::Photo(photo) => {
                        let file = photo.file(unit, awaited.county_id, None).await?;
                        let subject = SubjectRef::from(awaited.complaint_id);
                        attachments::Entity::insert(attachments::ActiveModel {
                            id: Set(EntryId::new(unit.randomness(), unit.now())),
                            county_id: Set(awaited.county_id),
                            subject_kind: Set(subject.kind),
                            subject_id: Set(subject.id),
                            file_id: Set(file),
                            purpose: Set(Purpose::Complaint),
                            position: Set(awaited.position),
                        })
                        .exec_without_returning(unit.connection())
                        .await?;
                    }
                    Taken::Recording { digest, seconds } => {
                        recordings::Entity::insert(recordings::ActiveModel {
                            id: Set(FileId::new(unit.randomness(), unit.now())),
                            county_id: Set(awaited.county_id),
                            complaint_id: Set(awaited.complaint_id),
                            resident_id: Set(awaited.resident_id),
                            digest: Set(digest),
                            seconds: Set(seconds),
                            taken_at: Set(unit.now()),
                        })
                        .exec_without_returning(unit.connection())
                        .await?;
                    }
                }
                Ok(())
            })
        })
        .await
}

/// It cannot be had: the person who sent it is told, the complaint stays as it is.
///
/// # Errors
/// When the database does not answer.
pub async fn give_up(store: &Store, awaited: &Awaited) -> Result<(), Fault> {
    let awaited = awaited.clone();
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                if !is_the_first(unit, &awaited).await? {
                    return Ok(());
                }
                let complaint = complaints::Entity::find_by_id(awaited.complaint_id).one(unit.connection()).await?;
                let Some(complaint) = complaint else { return Ok(()) };
                let notice = Notice::new(Recipient::Resident(awaited.resident_id), "media_missing", complaint.id)
                    .step(awaited.id.to_string())
                    .facts(json!({"title": complaint.title, "media": awaited.kind}))
                    .township(complaint.township_id);
                outbox::enqueue(unit, awaited.county_id, vec![notice]).await?;
                Ok(())
            })
        })
        .await
}

/// Takes the row away; whether it was still there.
async fn is_the_first(unit: &UnitOfWork, awaited: &Awaited) -> Result<bool, Fault> {
    let gone = awaited_media::Entity::delete_by_id(awaited.id).exec(unit.connection()).await?;
    Ok(gone.rows_affected == 1)
}
