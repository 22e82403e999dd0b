//! What groups and residents are told of a survey: one post for a group, one card for a resident, however many boxes there are.
//! Reminders go to everybody on the roll: whom they leave out would show who has taken part.

use std::collections::{BTreeMap, BTreeSet};

use qingfeng_ballots::log::Checkpoint;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};

use super::{
    super::{
        BallotBoxId,
        entity::{ballot_boxes, roll, sealed_surveys},
    },
    creating::class_label,
    log_keeping::manifest_of,
    preparing::villages_of,
};
use crate::{
    groups,
    ids::{CountyId, GroupId, ResidentId},
    outbox::{self, Notice, Recipient},
    people::entity::organizations,
    refusal::Fault,
    storage::UnitOfWork,
};

/// Messages that fit into one statement on both engines.
const NOTICES_PER_INSERT: usize = 500;
/// Boxes that one post of a group's robot can name: whoever keeps the post keeps the fingerprint of each.
const BOXES_PER_POST: usize = 20;

/// A box and the state of its log that is told.
pub(super) struct Told {
    pub row: ballot_boxes::Model,
    pub checkpoint: Checkpoint,
}

/// A group with the boxes of its village.
pub(super) struct Audience<'a, T> {
    pub group: GroupId,
    pub village: String,
    pub boxes: Vec<&'a T>,
}

/// What the words need of a survey, whatever its boxes.
pub(super) fn facts(survey: &sealed_surveys::Model, single_operator: bool, link: &str) -> Value {
    json!({
        "title": survey.title,
        "single_operator": single_operator,
        "on_paper_alone": survey.min_level >= super::super::LEVEL_OF_PAPER,
        "paper": survey.paper,
        "closes_on": survey.cast_until,
        "link": link,
    })
}

/// A post into every group of the boxes' villages; of very many boxes several.
pub(super) async fn to_groups(
    unit: &UnitOfWork,
    survey: &sealed_surveys::Model,
    told: &[Told],
    kind: &'static str,
    step: &str,
    link: &str,
) -> Result<Vec<Notice>, Fault> {
    let mut posts = Vec::new();
    for Audience { group, village, boxes } in audiences(unit, told, |one| &one.row).await? {
        for (part, boxes) in boxes.chunks(BOXES_PER_POST).enumerate() {
            let mut facts = facts(survey, boxes.iter().any(|one| one.row.single_operator), link);
            facts["village"] = json!(village);
            name_boxes(&mut facts, boxes)?;
            let step = if part == 0 { step.to_owned() } else { format!("{step}:{part}") };
            let post = Notice::new(Recipient::Group(group), kind, survey.id).township(survey.township_id);
            posts.push(post.step(step).facts(facts));
        }
    }
    Ok(posts)
}

/// Puts what is compared into the facts: of one box, or of each of several.
fn name_boxes(facts: &mut Value, boxes: &[&Told]) -> Result<(), Fault> {
    if let [only] = boxes {
        facts["title"] = json!(only.row.title);
        facts["poster_code"] = json!(manifest_of(&only.row)?.poster_code());
        facts["fingerprint"] = json!(only.checkpoint.fingerprint().sentence());
        return Ok(());
    }
    let line = |one: &&Told| -> Result<Value, Fault> {
        let parts = [one.row.evaluatee.as_deref(), Some(&one.row.unit_name), Some(class_label(one.row.class))];
        Ok(json!({
            "title": parts.into_iter().flatten().collect::<Vec<_>>().join("·"),
            "poster_code": manifest_of(&one.row)?.poster_code(),
            "fingerprint": one.checkpoint.fingerprint().to_string(),
        }))
    };
    facts["boxes"] = boxes.iter().map(line).collect::<Result<_, _>>()?;
    Ok(())
}

/// The groups of the boxes' villages, each with its boxes.
pub(super) async fn audiences<'a, T>(
    unit: &UnitOfWork,
    told: &'a [T],
    row: impl Fn(&T) -> &ballot_boxes::Model,
) -> Result<Vec<Audience<'a, T>>, Fault> {
    let mut by_village: BTreeMap<_, Vec<&T>> = BTreeMap::new();
    for one in told {
        for village in villages_of(row(one))? {
            by_village.entry(village).or_default().push(one);
        }
    }
    let villages = organizations::Entity::find()
        .filter(organizations::Column::Id.is_in(by_village.keys().copied()))
        .order_by_asc(organizations::Column::Id)
        .all(unit.connection())
        .await?;
    let mut audiences = Vec::new();
    for village in villages {
        let boxes = by_village.remove(&village.id).unwrap_or_default();
        for group in groups::of_village(unit.connection(), village.id).await? {
            audiences.push(Audience { group: group.id, village: village.name.clone(), boxes: boxes.clone() });
        }
    }
    Ok(audiences)
}

/// A card for everybody on these rolls, one per survey, whether they have taken part or not.
pub(super) async fn to_everybody(
    unit: &UnitOfWork,
    county: CountyId,
    survey: &sealed_surveys::Model,
    boxes: impl IntoIterator<Item = BallotBoxId>,
    kind: &'static str,
    facts: &Value,
) -> Result<(), Fault> {
    let residents: Vec<_> = on_the_rolls(unit, boxes).await?.into_iter().collect();
    for part in residents.chunks(NOTICES_PER_INSERT) {
        let cards = part.iter().map(|resident| {
            Notice::new(Recipient::Resident(*resident), kind, survey.id)
                .township(survey.township_id)
                .facts(facts.clone())
        });
        outbox::enqueue(unit, county, cards.collect()).await?;
    }
    Ok(())
}

async fn on_the_rolls(
    unit: &UnitOfWork,
    boxes: impl IntoIterator<Item = BallotBoxId>,
) -> Result<BTreeSet<ResidentId>, Fault> {
    let residents: Vec<ResidentId> = roll::Entity::find()
        .select_only()
        .column(roll::Column::ResidentId)
        .distinct()
        .filter(roll::Column::Sid.is_in(boxes))
        .into_tuple()
        .all(unit.connection())
        .await?;
    Ok(residents.into_iter().collect())
}
