//! What groups and residents are told of a box. Reminders go to everybody on the roll: whom they leave out would show who
//! has taken part.

use qingfeng_ballots::log::Checkpoint;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};

use super::super::{
    BallotBoxId,
    entity::{ballot_boxes, roll, sealed_surveys},
};
use super::{log_keeping::manifest_of, preparing::villages_of};
use crate::{
    groups,
    ids::{CountyId, ResidentId},
    outbox::{self, Notice, Recipient},
    refusal::{Fault, Refusal},
    storage::UnitOfWork,
};

/// Messages that fit into one statement on both engines.
const NOTICES_PER_INSERT: usize = 500;

/// What the words need.
pub(super) async fn facts(
    unit: &UnitOfWork,
    row: &ballot_boxes::Model,
    checkpoint: Option<&Checkpoint>,
    link: &str,
) -> Result<Value, Fault> {
    let survey = sealed_surveys::Entity::find_by_id(row.survey_id).one(unit.connection()).await?;
    let survey = survey.ok_or_else(Refusal::not_found)?;
    let mut facts = json!({
        "village": row.unit_name,
        "title": row.title,
        "protects_level": if row.single_operator { 1 } else { survey.min_level },
        "poster_code": manifest_of(row)?.poster_code(),
        "closes_on": survey.cast_until,
        "link": link,
    });
    if let Some(checkpoint) = checkpoint {
        facts["fingerprint"] = json!(checkpoint.fingerprint().sentence());
    }
    Ok(facts)
}

/// A post into every group of the box's villages.
pub(super) async fn to_groups(
    unit: &UnitOfWork,
    row: &ballot_boxes::Model,
    kind: &'static str,
    step: &str,
    facts: &Value,
) -> Result<Vec<Notice>, Fault> {
    let mut posts = Vec::new();
    for village in villages_of(row)? {
        for group in groups::of_village(unit.connection(), village).await? {
            let post = Notice::new(Recipient::Group(group.id), kind, row.survey_id).township(row.township_id);
            posts.push(post.step(step).facts(facts.clone()));
        }
    }
    Ok(posts)
}

pub(super) async fn fingerprint(
    unit: &UnitOfWork,
    row: &ballot_boxes::Model,
    checkpoint: &Checkpoint,
    step: &str,
    link: &str,
) -> Result<Vec<Notice>, Fault> {
    let facts = facts(unit, row, Some(checkpoint), link).await?;
    to_groups(unit, row, "sealed_survey_fingerprint", step, &facts).await
}

/// A card for everybody on the roll, one per survey, whether they have taken part or not.
pub(super) async fn to_everybody(
    unit: &UnitOfWork,
    county: CountyId,
    row: &ballot_boxes::Model,
    kind: &'static str,
    facts: &Value,
) -> Result<(), Fault> {
    let residents = on_the_roll(unit, row.sid).await?;
    for part in residents.chunks(NOTICES_PER_INSERT) {
        let cards = part.iter().map(|resident| {
            Notice::new(Recipient::Resident(*resident), kind, row.survey_id)
                .township(row.township_id)
                .facts(facts.clone())
        });
        outbox::enqueue(unit, county, cards.collect()).await?;
    }
    Ok(())
}

async fn on_the_roll(unit: &UnitOfWork, sid: BallotBoxId) -> Result<Vec<ResidentId>, Fault> {
    Ok(roll::Entity::find()
        .select_only()
        .column(roll::Column::ResidentId)
        .filter(roll::Column::Sid.eq(sid))
        .order_by_asc(roll::Column::ResidentId)
        .into_tuple()
        .all(unit.connection())
        .await?)
}
