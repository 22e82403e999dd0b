//! What is shown of anonymous surveys: to residents what is theirs, to staff how far it is, to everybody the files.

use std::collections::BTreeMap;

use qingfeng_ballots::{
    canonical::canonical,
    close::{Close, Publication},
    log::{Checkpoint, Leaf, Tree},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    BallotBoxId, BoxState, Channel, Purpose,
    entity::{ballot_boxes, box_files, issuance, roll, rows, sealed_surveys},
    service::{lines, signed_notes, subject_of, villages_of},
};
use crate::{
    ids::{ResidentId, SealedSurveyId},
    people::{
        Actor,
        authorization::{Action, Reach, is_recused, reach},
        entity::{organizations, residents},
    },
    refusal::Fault,
    storage::Store,
};

/// Surveys of one list: the newest. A township holds a few a year.
const MOST_LISTED: u64 = 50;

/// A survey with those of its boxes that the reader may know of.
#[derive(Debug)]
pub struct Listed {
    pub survey: sealed_surveys::Model,
    pub boxes: Vec<(ballot_boxes::Model, Option<Mine>)>,
}

/// How a resident stands to a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mine {
    /// May ask for a credential.
    Open,
    /// Has one.
    Issued,
    /// Draws a slip.
    Paper,
}

/// The surveys in which this resident is on a roll, from the opening on, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn of_resident(store: &Store, resident: ResidentId) -> Result<Vec<Listed>, Fault> {
    let connection = store.reader();
    let entries = roll::Entity::find().filter(roll::Column::ResidentId.eq(resident)).all(connection).await?;
    let channels: BTreeMap<_, _> = entries.iter().map(|entry| (entry.sid, entry.channel)).collect();
    let issued: Vec<BallotBoxId> = issuance::Entity::find()
        .select_only()
        .column(issuance::Column::Sid)
        .filter(issuance::Column::Sid.is_in(channels.keys().copied()))
        .filter(issuance::Column::ResidentId.eq(resident))
        .into_tuple()
        .all(connection)
        .await?;
    let boxes = ballot_boxes::Entity::find()
        .filter(ballot_boxes::Column::Sid.is_in(channels.keys().copied()))
        .filter(ballot_boxes::Column::State.is_not_in([BoxState::Draft, BoxState::Signed]))
        .order_by_asc(ballot_boxes::Column::Sid)
        .all(connection)
        .await?;
    let mine = |row: &ballot_boxes::Model| match channels.get(&row.sid) {
        Some(Channel::Paper) => Mine::Paper,
        _ if issued.contains(&row.sid) => Mine::Issued,
        _ => Mine::Open,
    };
    let boxes = boxes.into_iter().map(|row| {
        let mine = mine(&row);
        (row, Some(mine))
    });
    with_surveys(store, boxes.collect()).await
}

/// The surveys that this member of staff may know of. Boxes in which the reader is rated appear once they are published.
///
/// # Errors
/// When the database does not answer.
pub async fn of_staff(store: &Store, actor: &Actor) -> Result<Vec<Listed>, Fault> {
    let (Actor::Staff(staff), Reach::Staff(reach)) = (actor, reach(actor, Action::ViewSealedSurvey)) else {
        return Ok(Vec::new());
    };
    let mut within = Condition::any().add(ballot_boxes::Column::TownshipId.is_in(reach.townships));
    if reach.whole_county {
        within = within.add(ballot_boxes::Column::CountyId.eq(staff.county));
    }
    let surveys: Vec<SealedSurveyId> = ballot_boxes::Entity::find()
        .select_only()
        .column(ballot_boxes::Column::SurveyId)
        .distinct()
        .filter(ballot_boxes::Column::CountyId.eq(staff.county))
        .filter(within)
        .order_by_desc(ballot_boxes::Column::SurveyId)
        .limit(MOST_LISTED)
        .into_tuple()
        .all(store.reader())
        .await?;
    let boxes = ballot_boxes::Entity::find()
        .filter(ballot_boxes::Column::SurveyId.is_in(surveys))
        .order_by_asc(ballot_boxes::Column::Sid)
        .all(store.reader())
        .await?;
    let boxes = boxes.into_iter().filter(|row| row.state.is_published() || !is_recused(staff, &subject_of(row)));
    with_surveys(store, boxes.map(|row| (row, None)).collect()).await
}

async fn with_surveys(store: &Store, boxes: Vec<(ballot_boxes::Model, Option<Mine>)>) -> Result<Vec<Listed>, Fault> {
    let surveys = sealed_surveys::Entity::find()
        .filter(sealed_surveys::Column::Id.is_in(boxes.iter().map(|(row, _)| row.survey_id)))
        .order_by_desc(sealed_surveys::Column::Id)
        .limit(MOST_LISTED)
        .all(store.reader())
        .await?;
    let listed = |survey: sealed_surveys::Model| {
        let its = boxes.iter().filter(|(row, _)| row.survey_id == survey.id).cloned().collect();
        Listed { survey, boxes: its }
    };
    Ok(surveys.into_iter().map(listed).collect())
}

/// A survey with all its boxes.
///
/// # Errors
/// When there is none, or the database does not answer.
pub async fn survey_with_boxes(store: &Store, id: SealedSurveyId) -> Result<Listed, Fault> {
    let boxes = ballot_boxes::Entity::find()
        .filter(ballot_boxes::Column::SurveyId.eq(id))
        .order_by_asc(ballot_boxes::Column::Sid)
        .all(store.reader())
        .await?;
    let listed = with_surveys(store, boxes.into_iter().map(|row| (row, None)).collect()).await?;
    Ok(listed.into_iter().next().ok_or_else(crate::refusal::Refusal::not_found)?)
}

/// People on the roll of a box with exactly this name, with their villages: for the register. Never a list of all.
///
/// # Errors
/// When the database does not answer.
pub async fn on_roll_by_name(
    store: &Store,
    row: &ballot_boxes::Model,
    name: &str,
) -> Result<Vec<(ResidentId, String, String)>, Fault> {
    let villages = organizations::Entity::find()
        .filter(organizations::Column::Id.is_in(villages_of(row)?))
        .all(store.reader())
        .await?;
    let namesakes = residents::Entity::find()
        .filter(residents::Column::VillageId.is_in(villages.iter().map(|village| village.id)))
        .filter(residents::Column::Name.eq(name))
        .order_by_asc(residents::Column::Id)
        .limit(MOST_LISTED)
        .all(store.reader())
        .await?;
    let on_roll: Vec<ResidentId> = roll::Entity::find()
        .select_only()
        .column(roll::Column::ResidentId)
        .filter(roll::Column::Sid.eq(row.sid))
        .filter(roll::Column::ResidentId.is_in(namesakes.iter().map(|resident| resident.id)))
        .into_tuple()
        .all(store.reader())
        .await?;
    let village_of =
        |id| villages.iter().find(|village| village.id == id).map_or(String::new(), |village| village.name.clone());
    let found = namesakes.into_iter().filter(|resident| on_roll.contains(&resident.id));
    Ok(found.map(|resident| (resident.id, resident.name, village_of(resident.village_id))).collect())
}

/// The newest state of the log that the quorum has signed.
///
/// # Errors
/// When the database does not answer.
pub async fn latest_checkpoint(store: &Store, sid: BallotBoxId) -> Result<Option<Checkpoint>, Fault> {
    let Some(note) = signed_notes(store.reader(), sid).await?.pop() else { return Ok(None) };
    let mut tree = Tree::default();
    let size = u64::try_from(note.size).map_err(Fault::unavailable)?;
    lines(store.reader(), sid).await?.iter().for_each(|leaf| tree.append(leaf.as_bytes()));
    Ok(tree.root(size).map(|root| Checkpoint { size, root }))
}

/// Who reads a box's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    Public,
    /// Office, discipline and inspectors: the rows of every published box that has any.
    Committee,
}

/// One whole file of a box, as far as it is published. Never a part of one: what is asked for must tell nothing.
///
/// # Errors
/// When the database does not answer.
pub async fn file(
    store: &Store,
    row: &ballot_boxes::Model,
    name: &str,
    reader: Reader,
) -> Result<Option<Vec<u8>>, Fault> {
    let sid = row.sid;
    let Some(manifest) = row.manifest.as_ref().filter(|_| row.state != BoxState::Signed) else { return Ok(None) };
    match name {
        "manifest.json" => return Ok(Some(manifest.clone().into_bytes())),
        "log.jsonl" => return Ok(Some(joined(&published_lines(store, row).await?))),
        "checkpoints.json" => {
            let size = published_lines(store, row).await?.len();
            let notes = signed_notes(store.reader(), sid).await?;
            let notes = notes.into_iter().filter(|note| usize::try_from(note.size).is_ok_and(|signed| signed <= size));
            return Ok(Some(canonical(&notes.map(|note| note.note).collect::<Vec<_>>())));
        }
        "paper.json" => return stored(store, sid, name).await,
        "close.json" if matches!(row.state, BoxState::Cancelled | BoxState::TooFew) => {
            return stored(store, sid, name).await;
        }
        _ if !row.state.is_published() => return Ok(None),
        "close.json" => return stored(store, sid, name).await,
        _ => {}
    }
    let open_to = match reader {
        Reader::Committee => true,
        Reader::Public => purpose(store, row).await? == Purpose::Public,
    };
    match name {
        "junk.json" | "totals.json" if open_to => stored(store, sid, name).await,
        "ballots.jsonl" if open_to => ballots_file(store, row, reader).await,
        _ => Ok(None),
    }
}

async fn purpose(store: &Store, row: &ballot_boxes::Model) -> Result<Purpose, Fault> {
    let survey = sealed_surveys::Entity::find_by_id(row.survey_id).one(store.reader()).await?;
    Ok(survey.map_or(Purpose::Organizational, |survey| survey.purpose))
}

async fn stored(store: &Store, sid: BallotBoxId, name: &str) -> Result<Option<Vec<u8>>, Fault> {
    let file = box_files::Entity::find_by_id((sid, name.to_owned())).one(store.reader()).await?;
    Ok(file.map(|file| file.content))
}

/// The log, without what came out of the box while that is not published yet.
async fn published_lines(store: &Store, row: &ballot_boxes::Model) -> Result<Vec<String>, Fault> {
    let mut leaves = lines(store.reader(), row.sid).await?;
    if row.state == BoxState::Counted {
        leaves.retain(|line| !matches!(Leaf::parse(line.as_bytes()), Ok(Leaf::Ballot { .. } | Leaf::Close { .. })));
    }
    Ok(leaves)
}

async fn ballots_file(store: &Store, row: &ballot_boxes::Model, reader: Reader) -> Result<Option<Vec<u8>>, Fault> {
    let Some(close) = stored(store, row.sid, "close.json").await? else { return Ok(None) };
    let close: Close = serde_json::from_slice(&close).map_err(Fault::unavailable)?;
    let fewest = match reader {
        Reader::Public => Publication::Rows,
        Reader::Committee => Publication::Totals,
    };
    if close.publication < fewest {
        return Ok(None);
    }
    let found = rows::Entity::find().filter(rows::Column::Sid.eq(row.sid)).all(store.reader()).await?;
    // In the log's order, which is that of the ballot keys.
    let leaves = lines(store.reader(), row.sid).await?;
    let order: BTreeMap<_, _> = leaves
        .iter()
        .enumerate()
        .filter_map(|(place, line)| match Leaf::parse(line.as_bytes()) {
            Ok(Leaf::Ballot { h }) => Some((h.0.to_vec(), place)),
            _ => None,
        })
        .collect();
    let mut found: Vec<_> = found.into_iter().map(|found| (order.get(&found.row_hash).copied(), found.row)).collect();
    found.sort_unstable();
    let found: Vec<_> = found.into_iter().map(|(_, row)| row).collect();
    Ok(Some(joined(&found)))
}

fn joined(lines: &[String]) -> Vec<u8> {
    lines.iter().flat_map(|line| line.bytes().chain(*b"\n")).collect()
}

/// Names of the files of a bundle.
pub const FILES: [&str; 8] = [
    "manifest.json",
    "log.jsonl",
    "checkpoints.json",
    "paper.json",
    "ballots.jsonl",
    "junk.json",
    "close.json",
    "totals.json",
];
