use qingfeng_ballots::{
    canonical::{canonical, canonical_hash},
    log::Leaf,
    messages::SurveyId,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde::Serialize;
use serde_json::json;

use super::super::{
    Act,
    entity::{ballot_boxes, box_files, sealed_surveys},
};
use super::{
    counting::{forget_envelopes, forget_issuance},
    creating::boxes_of,
    lock,
    log_keeping::append,
    move_on,
    notices::{self, Audience},
    subject_of,
};
use crate::{
    audit::AuditEntry,
    ids::{CountyId, SealedSurveyId, StaffId},
    outbox::{Notice, Recipient},
    people::authorization::{Action, may},
    publication::PublicText,
    refusal::{Fault, Refusal},
    storage::{Command, Done, Outcome, Store, UnitOfWork},
};

/// Why a box ended without a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    Cancelled,
    TooFew,
}

/// The close record of a box that was never opened: its hash ends the log.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct NoCount {
    pub v: u8,
    pub sid: SurveyId,
    pub ended: Ended,
}

/// Ends a locked box without a count: its log says so, its keys are destroyed, and the co-signer is to hear of it.
pub(super) async fn end_without_count(unit: &UnitOfWork, row: &ballot_boxes::Model, ended: Ended) -> Result<(), Fault> {
    let record = NoCount { v: 1, sid: row.sid.sid(), ended };
    if row.manifest.is_some() {
        append(unit, row.sid, &[Leaf::Close { h: canonical_hash(&record) }]).await?;
    }
    let file = box_files::ActiveModel {
        sid: Set(row.sid),
        name: Set("close.json".to_owned()),
        content: Set(canonical(&record)),
    };
    box_files::Entity::insert(file).exec_without_returning(unit.connection()).await?;
    ballot_boxes::Entity::update_many()
        .col_expr(ballot_boxes::Column::KeyASealed, Expr::value(Option::<Vec<u8>>::None))
        .col_expr(ballot_boxes::Column::KeyDSealed, Expr::value(Option::<Vec<u8>>::None))
        .col_expr(ballot_boxes::Column::HandedOver, Expr::value(false))
        .filter(ballot_boxes::Column::Sid.eq(row.sid))
        .exec(unit.connection())
        .await?;
    Ok(())
}

/// The office cancels a survey whose boxes are all still open: keys and envelopes are destroyed, nothing is opened.
///
/// # Errors
/// When a box is shut: whoever has seen how many took part must not be able to stop the count. When the reason, which the groups are
/// told, is missing, too long or says a private number.
pub async fn cancel(
    store: &Store,
    command: &Command,
    county: CountyId,
    survey: SealedSurveyId,
    reason: String,
) -> Result<Outcome<()>, Fault> {
    let reason = reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > 200 || reason.chars().any(char::is_control) {
        return Err(Refusal::invalid(Vec::new()).with_field("/reason", "请写明取消的原因，最多200个字。").into());
    }
    let reason = PublicText::parse("/reason", &reason)?.into_string();
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let boxes = boxes_of(unit.connection(), survey).await?;
                if boxes.is_empty() || boxes.iter().any(|row| row.county_id != county) {
                    return Err(Refusal::not_found().into());
                }
                let mut told = Vec::new();
                for row in boxes {
                    may(&actor, Action::ManageSealedSurvey, &subject_of(&row))?;
                    let row = lock(unit, row.sid).await?;
                    move_on(unit, &row, Act::Cancel).await?;
                    end_without_count(unit, &row, Ended::Cancelled).await?;
                    forget_envelopes(unit, row.sid).await?;
                    forget_issuance(unit, row.sid).await?;
                    // Whoever was told of it hears why it ended.
                    if row.state.is_open() {
                        told.push(row);
                    }
                }
                let author = actor.staff().map(|staff| staff.id);
                let posts = cancelled(unit, survey, &told, &reason, author).await?;
                Ok(Done::new((), AuditEntry::new("sealed_survey_cancelled", survey)).telling(posts))
            })
        })
        .await
}

/// A post into every group whose village was asked; a second person reads what its author says.
async fn cancelled(
    unit: &UnitOfWork,
    survey: SealedSurveyId,
    boxes: &[ballot_boxes::Model],
    reason: &str,
    author: Option<StaffId>,
) -> Result<Vec<Notice>, Fault> {
    let found = sealed_surveys::Entity::find_by_id(survey).one(unit.connection()).await?;
    let found = found.ok_or_else(Refusal::not_found)?;
    let post = |audience: Audience<'_, ballot_boxes::Model>| {
        Notice::new(Recipient::Group(audience.group), "sealed_survey_cancelled", survey)
            .township(found.township_id)
            .facts(json!({"village": audience.village, "title": found.title, "reason": reason, "author": author}))
    };
    Ok(notices::audiences(unit, boxes, |row| row).await?.into_iter().map(post).collect())
}
