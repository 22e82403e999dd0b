//! What those who brought a complaint up last said of it. A bad verdict stands until the same person gives a better one:
//! a new answer does not take it back, nor does silence, nor a neighbour who is content.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{
    CallBackResult,
    entity::{complaints, entries, ratings, reporters},
};
use crate::{ids::EntryId, refusal::Fault};

/// The verdict as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub reporters: usize,
    /// Whether somebody's last word was a bad one.
    pub anybody_dissatisfied: bool,
    /// Whether everybody has rated the present round.
    pub everybody_rated: bool,
    /// Whether a call-back of the present round is recorded.
    pub called_back: bool,
    /// Whether somebody was called back after the last answer.
    pub called_back_since_answer: bool,
}

/// Reads the verdict.
///
/// # Errors
/// When the database does not answer.
pub async fn verdict(connection: &impl ConnectionTrait, complaint: &complaints::Model) -> Result<Verdict, Fault> {
    let brought_up =
        reporters::Entity::find().filter(reporters::Column::ComplaintId.eq(complaint.id)).all(connection).await?;
    // By reporter, not by complaint: who came by a merge brings his verdict along.
    let said = ratings::Entity::find()
        .filter(ratings::Column::ReporterId.is_in(brought_up.iter().map(|reporter| reporter.id)))
        .order_by_asc(ratings::Column::Id)
        .all(connection)
        .await?;
    let calls = entries::Entity::find()
        .filter(entries::Column::ComplaintId.eq(complaint.id))
        .filter(entries::Column::Kind.eq("called_back"))
        .all(connection)
        .await?;
    let last_word = |reporter: EntryId| said.iter().rev().find(|rating| rating.reporter_id == reporter);
    let rated_now = |reporter: EntryId| {
        said.iter().any(|rating| {
            rating.reporter_id == reporter && rating.complaint_id == complaint.id && rating.round == complaint.round
        })
    };
    let everybody_rated = brought_up.iter().all(|reporter| rated_now(reporter.id));
    // Told on the phone, by whom of them is not recorded: it stands until everybody has rated a later answer.
    let not_content = serde_json::json!(CallBackResult::NotContent);
    let told_on_the_phone =
        calls.iter().any(|call| call.details.as_ref().and_then(|details| details.get("result")) == Some(&not_content));
    Ok(Verdict {
        reporters: brought_up.len(),
        anybody_dissatisfied: brought_up
            .iter()
            .any(|reporter| last_word(reporter.id).is_some_and(|rating| rating.level.is_bad()))
            || (told_on_the_phone && !everybody_rated),
        everybody_rated,
        called_back: calls.iter().any(|call| call.round == complaint.round),
        called_back_since_answer: complaint.answered_at.is_some_and(|at| calls.iter().any(|call| call.at >= at)),
    })
}
