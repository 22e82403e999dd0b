use qingfeng_ballots::log::{Checkpoint, Tree};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::super::{
    Act, BallotBoxId, BoxState, SealedSurveyRefusal,
    entity::{ballot_boxes, sealed_surveys},
};
use super::{
    by_the_clock, creating::boxes_of, find_box, lock, log_keeping, move_on, notices, paper::waits_for_slips, subject_of,
};
use crate::{
    audit::AuditEntry,
    ids::{CountyId, SealedSurveyId},
    people::authorization::{Action, may},
    refusal::{Fault, Refusal},
    storage::{Command, Done, Outcome, Store, UnitOfWork},
};

/// The office opens all boxes of a survey at once: posts to the groups, a card to everybody on the rolls.
///
/// # Errors
/// Before the first day, after the last, while the quorum has not signed or the slips are missing.
pub async fn open(
    store: &Store,
    command: &Command,
    county: CountyId,
    survey: SealedSurveyId,
    link: String,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let found = sealed_surveys::Entity::find_by_id(survey).one(unit.connection()).await?;
                let found = found.filter(|row| row.county_id == county).ok_or_else(Refusal::not_found)?;
                let boxes = boxes_of(unit.connection(), survey).await?;
                for row in &boxes {
                    may(&actor, Action::ManageSealedSurvey, &subject_of(row))?;
                }
                if unit.today() < found.issue_from {
                    return Err(Fault::refused(SealedSurveyRefusal::TooEarly));
                }
                if unit.today() > found.issue_until {
                    return Err(Fault::refused(SealedSurveyRefusal::TooLate));
                }
                let mut posts = Vec::new();
                for row in boxes {
                    posts.extend(open_box(unit, row.sid, &link).await?);
                }
                Ok(Done::new((), AuditEntry::new("sealed_survey_opened", survey)).telling(posts))
            })
        })
        .await
}

async fn open_box(unit: &UnitOfWork, sid: BallotBoxId, link: &str) -> Result<Vec<crate::outbox::Notice>, Fault> {
    let row = lock(unit, sid).await?;
    if row.state == BoxState::Draft {
        return Err(Fault::refused(SealedSurveyRefusal::NotSignedYet));
    }
    if row.state == BoxState::Signed && waits_for_slips(unit.connection(), &row).await? {
        return Err(Fault::refused(SealedSurveyRefusal::PaperMissing));
    }
    if log_keeping::signed_notes(unit.connection(), sid).await?.is_empty() {
        return Err(Fault::refused(SealedSurveyRefusal::NotSignedYet));
    }
    move_on(unit, &row, Act::Open).await?;
    ballot_boxes::Entity::update_many()
        .col_expr(ballot_boxes::Column::FlushedAt, Expr::value(Some(unit.now())))
        .filter(ballot_boxes::Column::Sid.eq(sid))
        .exec(unit.connection())
        .await?;
    let checkpoint = first_checkpoint(unit, sid).await?;
    let facts = notices::facts(unit, &row, Some(&checkpoint), link).await?;
    let mut posts = notices::to_groups(unit, &row, "sealed_survey_opened", &sid.to_string(), &facts).await?;
    posts.extend(notices::to_groups(unit, &row, "sealed_survey_fingerprint", &format!("{sid}:open"), &facts).await?);
    notices::to_everybody(unit, row.county_id, &row, "sealed_survey_opened", &facts).await?;
    Ok(posts)
}

/// The log as it is at the opening: the manifest alone.
async fn first_checkpoint(unit: &UnitOfWork, sid: BallotBoxId) -> Result<Checkpoint, Fault> {
    let mut tree = Tree::default();
    log_keeping::lines(unit.connection(), sid).await?.iter().for_each(|leaf| tree.append(leaf.as_bytes()));
    let size = tree.size();
    let root = tree.root(size).ok_or_else(|| Fault::unavailable("a tree without its root"))?;
    Ok(Checkpoint { size, root })
}

/// Half-way through the days for credentials everybody on the roll is reminded, once. Does nothing before.
///
/// # Errors
/// When the database does not answer.
pub async fn remind(store: &Store, sid: BallotBoxId, link: String) -> Result<(), Fault> {
    let county = find_box(store, sid).await?.county_id;
    store
        .command(county, &by_the_clock(county), move |unit| {
            Box::pin(async move {
                let nothing = Done { value: (), audit: vec![], notices: vec![] };
                let row = lock(unit, sid).await?;
                let survey = sealed_surveys::Entity::find_by_id(row.survey_id).one(unit.connection()).await?;
                let survey = survey.ok_or_else(Refusal::not_found)?;
                let half = (survey.issue_until - survey.issue_from).num_days() / 2;
                let due = survey.issue_from + chrono::TimeDelta::days(half.max(1));
                if row.state != BoxState::Issuing || unit.today() < due {
                    return Ok(nothing);
                }
                let facts = notices::facts(unit, &row, None, &link).await?;
                notices::to_everybody(unit, county, &row, "sealed_survey_reminder", &facts).await?;
                Ok(nothing)
            })
        })
        .await?;
    Ok(())
}
