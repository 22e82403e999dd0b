use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use qingfeng_ballots::log::{Checkpoint, Tree};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::super::{
    Act, BallotBoxId, BoxState, SealedSurveyRefusal,
    entity::{ballot_boxes, sealed_surveys},
};
use super::{
    by_the_clock,
    creating::boxes_of,
    find_box, lock, log_keeping, move_on,
    notices::{self, Told, to_groups},
    paper::waits_for_slips,
    subject_of,
};
use crate::{
    audit::AuditEntry,
    clock::{shanghai_date, shanghai_instant},
    ids::{CountyId, SealedSurveyId},
    people::authorization::{Action, may},
    refusal::{Fault, Refusal},
    storage::{Command, Done, Outcome, Store, UnitOfWork},
};

/// When a survey of one day reminds: its morning was the invitation.
const AFTERNOON: NaiveTime = NaiveTime::from_hms_opt(15, 0, 0).expect("three o'clock is a time");

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
                let mut told = Vec::new();
                for row in boxes {
                    told.push(open_box(unit, row.sid).await?);
                }
                let mut posts = to_groups(unit, &found, &told, "sealed_survey_opened", "", &link).await?;
                posts.extend(to_groups(unit, &found, &told, "sealed_survey_fingerprint", "open", &link).await?);
                let facts = notices::facts(&found, told.iter().any(|one| one.row.single_operator), &link);
                let sids = told.iter().map(|one| one.row.sid);
                notices::to_everybody(unit, county, &found, sids, "sealed_survey_opened", &facts).await?;
                Ok(Done::new((), AuditEntry::new("sealed_survey_opened", survey)).telling(posts))
            })
        })
        .await
}

/// Whether the office could open the survey now.
///
/// # Errors
/// When the database does not answer.
pub async fn may_be_opened(
    store: &Store,
    survey: &sealed_surveys::Model,
    boxes: &[ballot_boxes::Model],
) -> Result<bool, Fault> {
    let window = survey.issue_from..=survey.issue_until;
    if !window.contains(&shanghai_date(store.clock().now())) {
        return Ok(false);
    }
    for row in boxes {
        let is_ready = row.state == BoxState::Signed
            && !waits_for_slips(store.reader(), row).await?
            && !log_keeping::signed_notes(store.reader(), row.sid).await?.is_empty();
        if !is_ready {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether there is still time to prepare it.
#[must_use]
pub fn may_be_prepared(store: &Store, survey: &sealed_surveys::Model) -> bool {
    shanghai_date(store.clock().now()) <= survey.issue_until
}

async fn open_box(unit: &UnitOfWork, sid: BallotBoxId) -> Result<Told, Fault> {
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
    Ok(Told { row, checkpoint })
}

/// The log as it is at the opening: the manifest alone.
async fn first_checkpoint(unit: &UnitOfWork, sid: BallotBoxId) -> Result<Checkpoint, Fault> {
    let mut tree = Tree::default();
    log_keeping::lines(unit.connection(), sid).await?.iter().for_each(|leaf| tree.append(leaf.as_bytes()));
    let size = tree.size();
    let root = tree.root(size).ok_or_else(|| Fault::unavailable("a tree without its root"))?;
    Ok(Checkpoint { size, root })
}

/// Half-way through the days for credentials everybody on the roll is reminded, once; of a single day in its afternoon. Does
/// nothing before.
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
                if row.state != BoxState::Issuing || unit.now() < reminded_from(&survey) {
                    return Ok(nothing);
                }
                let facts = notices::facts(&survey, row.single_operator, &link);
                notices::to_everybody(unit, county, &survey, [sid], "sealed_survey_reminder", &facts).await?;
                Ok(nothing)
            })
        })
        .await?;
    Ok(())
}

fn reminded_from(survey: &sealed_surveys::Model) -> DateTime<Utc> {
    let days = (survey.issue_until - survey.issue_from).num_days();
    if days == 0 {
        return shanghai_instant(survey.issue_from, AFTERNOON);
    }
    shanghai_instant(survey.issue_from + TimeDelta::days((days / 2).max(1)), NaiveTime::MIN)
}
