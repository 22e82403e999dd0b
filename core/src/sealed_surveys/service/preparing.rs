//! From the plan to the manifest: roll and keys, the co-signer's half, the first leaf of the log.

use std::collections::{BTreeMap, BTreeSet};

use qingfeng_ballots::{
    Hex,
    answers::Question,
    canonical::canonical,
    log::Leaf,
    manifest::{BadManifest, Manifest, Moduli, Windows},
    messages::{SurveyId, roll_leaf},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, OnConflict},
};
use serde::{Deserialize, Serialize};

use super::super::{
    Act, BallotBoxId, BoxState, Channel, FEWEST_ANSWERS, FEWEST_BALLOTS, FEWEST_ELIGIBLE, FEWEST_FOR_ROWS,
    SealedSurveyRefusal,
    entity::{ballot_boxes, devices, log, roll, sealed_surveys},
};
use super::{
    by_the_clock, electors, find_box,
    keys::{self, SealedKeys},
    lock, move_on,
    opening::may_be_prepared,
};
use crate::{
    audit::AuditEntry,
    ids::{CountyId, OrganizationId, ResidentId},
    people::entity::residents,
    refusal::{Fault, Refusal},
    sealing::Sealer,
    storage::{Done, Store, UnitOfWork},
};

/// Rows that fit into one statement on both engines.
const ROWS_PER_INSERT: usize = 500;

/// Who the co-signer says is enrolled, with which phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    pub resident: ResidentId,
    pub commitment: Hex<32>,
    pub device: Option<Hex<32>>,
}

/// Keeps what the co-signer's roll says. Nobody of another county is written down.
///
/// # Errors
/// When the database does not answer.
pub async fn remember_devices(store: &Store, county: CountyId, enrolled: Vec<Enrolled>) -> Result<(), Fault> {
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                for part in enrolled.chunks(ROWS_PER_INSERT) {
                    let ours: BTreeSet<_> = residents::Entity::find()
                        .filter(residents::Column::Id.is_in(part.iter().map(|person| person.resident)))
                        .filter(residents::Column::CountyId.eq(county))
                        .all(unit.connection())
                        .await?
                        .into_iter()
                        .map(|resident| resident.id)
                        .collect();
                    let rows: Vec<_> = part
                        .iter()
                        .filter(|person| ours.contains(&person.resident))
                        .map(|person| devices::ActiveModel {
                            resident_id: Set(person.resident),
                            county_id: Set(county),
                            device: Set(person.device.map(|device| device.0.to_vec())),
                            commitment: Set(person.commitment.0.to_vec()),
                        })
                        .collect();
                    if rows.is_empty() {
                        continue;
                    }
                    // A phone that now belongs to somebody else's card was given on.
                    let named: Vec<_> =
                        part.iter().filter_map(|person| person.device).map(|device| device.0.to_vec()).collect();
                    devices::Entity::update_many()
                        .col_expr(devices::Column::Device, Expr::value(Option::<Vec<u8>>::None))
                        .filter(devices::Column::Device.is_in(named))
                        .exec(unit.connection())
                        .await?;
                    let newest = OnConflict::column(devices::Column::ResidentId)
                        .update_columns([devices::Column::Device, devices::Column::Commitment])
                        .to_owned();
                    devices::Entity::insert_many(rows)
                        .on_conflict(newest)
                        .exec_without_returning(unit.connection())
                        .await?;
                }
                Ok(())
            })
        })
        .await
}

/// The villages whose residents a box is for.
///
/// # Errors
/// When the row is damaged.
pub fn villages_of(row: &ballot_boxes::Model) -> Result<Vec<OrganizationId>, Fault> {
    serde_json::from_value(row.village_ids.clone()).map_err(Fault::unavailable)
}

/// What the installation adds to every manifest.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Host of the box, in front of the log's origin.
    pub host: String,
    /// Verifier keys of platform, co-signer and witness.
    pub vkeys: Vec<String>,
}

/// What the platform proposes to the co-signer.
#[derive(Clone, Debug, Serialize)]
pub struct Proposal {
    pub draft: Draft,
    pub roll: Vec<RollLine>,
    /// Residents who are rated, and so have no vote here.
    pub rated: Vec<ResidentId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RollLine {
    pub resident: ResidentId,
    pub leaf: Hex<32>,
}

/// A manifest without the co-signer's half.
#[derive(Clone, Debug, Serialize)]
pub struct Draft {
    pub sid: SurveyId,
    pub title: String,
    pub questions: Vec<Question>,
    pub windows: Windows,
    pub k_min: u32,
    pub q_min: u32,
    pub l2_min: u32,
    pub min_level: u8,
    pub paper: u32,
    pub origin: String,
    pub keys: DraftKeys,
    pub vkeys: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct DraftKeys {
    pub a: Hex<256>,
    pub d: Hex<256>,
}

impl Proposal {
    /// The manifest with the co-signer's key and box.
    ///
    /// # Errors
    /// When the co-signer's half cannot be one.
    pub fn manifest(self, b: Hex<256>, box_recipient: String) -> Result<Manifest, BadManifest> {
        let Draft { sid, title, questions, windows, k_min, q_min, l2_min, min_level, paper, origin, keys, vkeys } =
            self.draft;
        let mut roll: Vec<_> = self.roll.into_iter().map(|line| line.leaf).collect();
        roll.sort_unstable();
        let keys = Moduli { a: keys.a, b, d: keys.d };
        let manifest = Manifest {
            v: 1,
            sid,
            title,
            questions,
            roll,
            keys,
            box_recipient,
            windows,
            k_min,
            q_min,
            l2_min,
            min_level,
            paper,
            origin,
            vkeys,
        };
        manifest.check()?;
        Ok(manifest)
    }
}

/// What came of drawing up the roll.
#[derive(Debug)]
pub enum Drawn {
    Ready(Box<Proposal>),
    /// The co-signer's roll does not know these residents: they have no card.
    Unknown(Vec<ResidentId>),
    /// The box is past this step.
    Done,
}

/// Makes the keys, once, and draws up the roll from the residents of today.
///
/// # Errors
/// When its days are over, the roll has become too small, or the database does not answer.
pub async fn draw_up(store: &Store, sealer: &Sealer, sid: BallotBoxId, terms: Terms) -> Result<Drawn, Fault> {
    let row = find_box(store, sid).await?;
    if row.state != BoxState::Draft {
        return Ok(Drawn::Done);
    }
    let survey = sealed_surveys::Entity::find_by_id(row.survey_id).one(store.reader()).await?;
    let survey = survey.ok_or_else(Refusal::not_found)?;
    if !may_be_prepared(store, &survey) {
        return Err(Fault::refused(SealedSurveyRefusal::TooLate));
    }
    let fresh = if row.key_a_sealed.is_some() { None } else { Some(keys::generate(store, sealer).await?) };
    let sealer = sealer.clone();
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let row = lock(unit, sid).await?;
                if row.state != BoxState::Draft {
                    return Ok(Drawn::Done);
                }
                let keys = keep_keys(unit, &row, fresh).await?;
                let (electors, rated) = electors_of_today(unit, &row).await?;
                let lines = match leaves(unit, sid, &electors).await? {
                    Ok(lines) => lines,
                    Err(unknown) => return Ok(Drawn::Unknown(unknown)),
                };
                if lines.len() < FEWEST_ELIGIBLE {
                    return Err(Fault::refused(SealedSurveyRefusal::RollTooSmall));
                }
                keep_roll(unit, sid, &lines).await?;
                let signers = keys::open(&sealer, &keys)?;
                let draft = draft(
                    &row,
                    &survey,
                    terms,
                    DraftKeys { a: keys::modulus(&*signers.ballot)?, d: keys::modulus(&*signers.tag)? },
                )?;
                Ok(Drawn::Ready(Box::new(Proposal { draft, roll: lines, rated })))
            })
        })
        .await
}

async fn keep_keys(
    unit: &UnitOfWork,
    row: &ballot_boxes::Model,
    fresh: Option<SealedKeys>,
) -> Result<SealedKeys, Fault> {
    if let (Some(ballot), Some(tag)) = (row.key_a_sealed.clone(), row.key_d_sealed.clone()) {
        return Ok(SealedKeys { ballot, tag });
    }
    let keys = fresh.ok_or_else(|| Fault::unavailable("a box has half of its keys"))?;
    ballot_boxes::Entity::update_many()
        .col_expr(ballot_boxes::Column::KeyASealed, Expr::value(Some(keys.ballot.clone())))
        .col_expr(ballot_boxes::Column::KeyDSealed, Expr::value(Some(keys.tag.clone())))
        .filter(ballot_boxes::Column::Sid.eq(row.sid))
        .exec(unit.connection())
        .await?;
    Ok(keys)
}

/// The eligible residents, and those of them who are rated: nobody votes on himself.
async fn electors_of_today(
    unit: &UnitOfWork,
    row: &ballot_boxes::Model,
) -> Result<(Vec<ResidentId>, Vec<ResidentId>), Fault> {
    let eligible = residents::Entity::find()
        .filter(residents::Column::VillageId.is_in(villages_of(row)?))
        .filter(residents::Column::RosterGroup.eq(row.class))
        .filter(residents::Column::Active.eq(true))
        .order_by_asc(residents::Column::Id)
        .all(unit.connection())
        .await?;
    let rated = electors::rated(unit, row.evaluatee_staff_id, row.evaluatee_organization_id).await?;
    let (rated, others): (Vec<_>, Vec<_>) =
        eligible.into_iter().partition(|resident| resident.staff_id.is_some_and(|staff| rated.contains(&staff)));
    let ids = |residents: Vec<residents::Model>| residents.into_iter().map(|resident| resident.id).collect();
    Ok((ids(others), ids(rated)))
}

/// Electors with their leaves; or those whom the co-signer does not know.
async fn leaves(
    unit: &UnitOfWork,
    sid: BallotBoxId,
    electors: &[ResidentId],
) -> Result<Result<Vec<RollLine>, Vec<ResidentId>>, Fault> {
    let mut commitments = BTreeMap::new();
    for part in electors.chunks(ROWS_PER_INSERT) {
        let known = devices::Entity::find()
            .filter(devices::Column::ResidentId.is_in(part.iter().copied()))
            .all(unit.connection())
            .await?;
        commitments.extend(known.into_iter().map(|device| (device.resident_id, device.commitment)));
    }
    let (mut lines, mut unknown) = (Vec::new(), Vec::new());
    for resident in electors.iter().copied() {
        let commitment = commitments.get(&resident).and_then(|bytes| Hex::try_from(bytes.as_slice()).ok());
        match commitment {
            Some(commitment) => lines.push(RollLine { resident, leaf: roll_leaf(&sid.sid(), &commitment) }),
            None => unknown.push(resident),
        }
    }
    Ok(if unknown.is_empty() { Ok(lines) } else { Err(unknown) })
}

async fn keep_roll(unit: &UnitOfWork, sid: BallotBoxId, lines: &[RollLine]) -> Result<(), Fault> {
    roll::Entity::delete_many().filter(roll::Column::Sid.eq(sid)).exec(unit.connection()).await?;
    for part in lines.chunks(ROWS_PER_INSERT) {
        let rows = part.iter().map(|line| roll::ActiveModel {
            sid: Set(sid),
            resident_id: Set(line.resident),
            leaf: Set(line.leaf.0.to_vec()),
            channel: Set(Channel::Electronic),
        });
        roll::Entity::insert_many(rows).exec_without_returning(unit.connection()).await?;
    }
    let eligible = i32::try_from(lines.len()).map_err(Fault::unavailable)?;
    ballot_boxes::Entity::update_many()
        .col_expr(ballot_boxes::Column::Eligible, Expr::value(eligible))
        .filter(ballot_boxes::Column::Sid.eq(sid))
        .exec(unit.connection())
        .await?;
    Ok(())
}

fn draft(
    row: &ballot_boxes::Model,
    survey: &sealed_surveys::Model,
    terms: Terms,
    keys: DraftKeys,
) -> Result<Draft, Fault> {
    // With one operator issuing and casting are days apart: whoever gets a credential and whoever throws in right after
    // are not to be told together.
    let cast_from = if row.single_operator {
        survey.issue_until.succ_opt().unwrap_or(survey.issue_until)
    } else {
        survey.issue_from
    };
    Ok(Draft {
        sid: row.sid.sid(),
        title: row.title.clone(),
        questions: serde_json::from_value(survey.questions.clone()).map_err(Fault::unavailable)?,
        windows: Windows {
            issue_from: survey.issue_from.to_string(),
            issue_until: survey.issue_until.to_string(),
            cast_from: cast_from.to_string(),
            cast_until: survey.cast_until.to_string(),
        },
        k_min: FEWEST_BALLOTS,
        q_min: FEWEST_ANSWERS,
        l2_min: FEWEST_FOR_ROWS,
        min_level: u8::try_from(survey.min_level).map_err(Fault::unavailable)?,
        paper: u32::try_from(survey.paper).map_err(Fault::unavailable)?,
        origin: format!("{}/{}", terms.host, row.sid),
        keys,
        vkeys: terms.vkeys,
    })
}

/// The manifest becomes the first leaf of the log. From now on it binds.
///
/// # Errors
/// When it is not this box's manifest.
pub async fn sign_manifest(store: &Store, sid: BallotBoxId, manifest: Manifest) -> Result<(), Fault> {
    let row = find_box(store, sid).await?;
    if manifest.sid != sid.sid() {
        return Err(Fault::unavailable("the manifest of another box"));
    }
    let text = String::from_utf8(canonical(&manifest)).map_err(Fault::unavailable)?;
    let leaf = String::from_utf8(Leaf::Manifest { h: manifest.hash() }.to_bytes()).map_err(Fault::unavailable)?;
    store
        .command(row.county_id, &by_the_clock(row.county_id), move |unit| {
            Box::pin(async move {
                let row = lock(unit, sid).await?;
                if row.state != BoxState::Draft {
                    return Ok(Done { value: (), audit: vec![], notices: vec![] });
                }
                move_on(unit, &row, Act::Sign).await?;
                ballot_boxes::Entity::update_many()
                    .col_expr(ballot_boxes::Column::Manifest, Expr::value(Some(text)))
                    .filter(ballot_boxes::Column::Sid.eq(sid))
                    .exec(unit.connection())
                    .await?;
                log::Entity::insert(log::ActiveModel { sid: Set(sid), idx: Set(0), leaf: Set(leaf) })
                    .exec_without_returning(unit.connection())
                    .await?;
                Ok(Done::new((), AuditEntry::new("ballot_box_signed", row.survey_id)))
            })
        })
        .await?;
    Ok(())
}
