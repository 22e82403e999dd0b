//! Paper slips: signed as one batch before the opening, drawn from a bag, accounted for before the count.

use std::collections::BTreeSet;

use qingfeng_ballots::{
    Hex,
    canonical::{canonical, sha256},
    close::{Slips, Voided},
    count::winners,
    log::Leaf,
    voter::UnusedSlip,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::Expr,
};
use serde::{Deserialize, Serialize};

use super::super::{
    BallotBoxId, BoxState, Channel, SealedSurveyRefusal,
    entity::{ballot_boxes, box_files, issuance, roll},
    slip_account::{self, Known, SlipNumbers, Told},
};
use super::{
    find_box,
    issuing::{Signed, keys_of},
    keys, lock,
    log_keeping::{lines, manifest_of},
    subject_of,
};
use crate::{
    audit::AuditEntry,
    ids::ResidentId,
    people::{
        Actor,
        authorization::{Action, may},
    },
    refusal::{Fault, Refusal},
    sealing::Sealer,
    storage::{Command, Done, Outcome, Store},
};

/// The slips' public halves.
const SLIPS: &str = "paper.json";
/// Hash of the batch that was signed, so that no second one is.
const BATCH: &str = "paper.batch";

/// Signs the batch of paper slips, once: as many as the manifest says, before the opening. The same batch again gets the same bytes.
///
/// # Errors
/// After the opening, for another number of slips, or for a second batch.
pub async fn sign_slips(
    store: &Store,
    sealer: &Sealer,
    sid: BallotBoxId,
    wishes: Vec<(Hex<256>, Hex<256>)>,
) -> Result<Vec<Signed>, Fault> {
    let row = find_box(store, sid).await?;
    if row.state != BoxState::Signed {
        return Err(Fault::refused(SealedSurveyRefusal::WrongState));
    }
    if wishes.is_empty() || usize::try_from(manifest_of(&row)?.paper) != Ok(wishes.len()) {
        return Err(Fault::refused(SealedSurveyRefusal::WrongSlips));
    }
    let parts: Vec<_> = wishes.iter().flat_map(|(a, d)| [a.as_slice(), d.as_slice()]).collect();
    let batch = sha256(&parts).0.to_vec();
    let signed = keys::sign(store, sealer, keys_of(&row)?, wishes)
        .await?
        .map_err(|_| Fault::refused(SealedSurveyRefusal::BadRequest))?;
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let row = lock(unit, sid).await?;
                if row.state != BoxState::Signed {
                    return Err(Fault::refused(SealedSurveyRefusal::WrongState));
                }
                match box_files::Entity::find_by_id((sid, BATCH.to_owned())).one(unit.connection()).await? {
                    Some(known) if known.content == batch => Ok(()),
                    Some(_) => Err(Fault::refused(SealedSurveyRefusal::SlipsSigned)),
                    None => {
                        let file =
                            box_files::ActiveModel { sid: Set(sid), name: Set(BATCH.to_owned()), content: Set(batch) };
                        box_files::Entity::insert(file).exec_without_returning(unit.connection()).await?;
                        Ok(())
                    }
                }
            })
        })
        .await?;
    Ok(signed.into_iter().map(|(sa, sd)| Signed { sa, sd }).collect())
}

/// Keeps the slips' public halves, before the opening. All three signatures of each are checked.
///
/// # Errors
/// When one is not signed, stands twice, or their number is another.
pub async fn keep_slips(store: &Store, sid: BallotBoxId, slips: Slips) -> Result<(), Fault> {
    let row = find_box(store, sid).await?;
    let manifest = manifest_of(&row).map_err(|_| Fault::refused(SealedSurveyRefusal::WrongState))?;
    if usize::try_from(manifest.paper) != Ok(slips.len()) || !slips.is_well_formed() {
        return Err(Fault::refused(SealedSurveyRefusal::WrongSlips));
    }
    let keys = manifest.keys().map_err(Fault::unavailable)?;
    let content = canonical(&slips);
    let signed = tokio::task::spawn_blocking(move || slips.is_signed(&sid.sid(), &keys));
    if !signed.await.map_err(Fault::unavailable)? {
        return Err(Fault::refused(SealedSurveyRefusal::WrongSlips));
    }
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let row = lock(unit, sid).await?;
                match box_files::Entity::find_by_id((sid, SLIPS.to_owned())).one(unit.connection()).await? {
                    Some(known) if known.content == content => Ok(()),
                    Some(_) => Err(Fault::refused(SealedSurveyRefusal::SlipsSigned)),
                    None if row.state != BoxState::Signed => Err(Fault::refused(SealedSurveyRefusal::WrongState)),
                    None => {
                        let file = box_files::ActiveModel {
                            sid: Set(sid),
                            name: Set(SLIPS.to_owned()),
                            content: Set(content),
                        };
                        box_files::Entity::insert(file).exec_without_returning(unit.connection()).await?;
                        Ok(())
                    }
                }
            })
        })
        .await
}

/// Whether the register may say "paper" for this person now. Asked before the co-signer is told.
///
/// # Errors
/// When the actor may not, the box has no slips or takes no answers, the person is not on the roll or has a credential.
pub async fn check_may_register(
    store: &Store,
    actor: &Actor,
    sid: BallotBoxId,
    resident: ResidentId,
) -> Result<(), Fault> {
    let row = find_box(store, sid).await?;
    may(actor, Action::ManageSealedSurvey, &subject_of(&row))?;
    if !matches!(row.state, BoxState::Signed | BoxState::Issuing) {
        return Err(Fault::refused(SealedSurveyRefusal::WrongState));
    }
    if manifest_of(&row)?.paper == 0 {
        return Err(Fault::refused(SealedSurveyRefusal::NoPaper));
    }
    roll::Entity::find_by_id((sid, resident)).one(store.reader()).await?.ok_or_else(Refusal::not_found)?;
    if issuance::Entity::find_by_id((sid, resident)).one(store.reader()).await?.is_some() {
        return Err(Fault::refused(SealedSurveyRefusal::IssuedElectronically));
    }
    Ok(())
}

/// The register says: this person draws a slip. From now on no phone of hers gets a credential.
///
/// # Errors
/// When she has one already, or the box takes no answers.
pub async fn register_paper(
    store: &Store,
    command: &Command,
    sid: BallotBoxId,
    resident: ResidentId,
) -> Result<Outcome<()>, Fault> {
    let row = find_box(store, sid).await?;
    let actor = command.actor.clone();
    store
        .command(row.county_id, command, move |unit| {
            Box::pin(async move {
                let row = ballot_boxes::Entity::find_by_id(sid).lock_shared().one(unit.connection()).await?;
                let row = row.ok_or_else(Refusal::not_found)?;
                may(&actor, Action::ManageSealedSurvey, &subject_of(&row))?;
                if !matches!(row.state, BoxState::Signed | BoxState::Issuing) {
                    return Err(Fault::refused(SealedSurveyRefusal::WrongState));
                }
                // Held against a credential that is given out at the same instant.
                let entry = roll::Entity::find_by_id((sid, resident)).lock_exclusive().one(unit.connection()).await?;
                entry.ok_or_else(Refusal::not_found)?;
                if issuance::Entity::find_by_id((sid, resident)).one(unit.connection()).await?.is_some() {
                    return Err(Fault::refused(SealedSurveyRefusal::IssuedElectronically));
                }
                roll::Entity::update_many()
                    .col_expr(roll::Column::Channel, Expr::value(Channel::Paper))
                    .filter(roll::Column::Sid.eq(sid))
                    .filter(roll::Column::ResidentId.eq(resident))
                    .exec(unit.connection())
                    .await?;
                // Who draws a slip signs the register at the office; the audit names the survey, not the person.
                Ok(Done::new((), AuditEntry::new("paper_slip_registered", row.survey_id)))
            })
        })
        .await
}

/// The co-signer has refused the slip: the person may go on by phone, where she can.
///
/// # Errors
/// When the database does not answer.
pub async fn unregister_paper(store: &Store, sid: BallotBoxId, resident: ResidentId) -> Result<(), Fault> {
    store
        .anonymous(move |unit| {
            Box::pin(async move {
                roll::Entity::update_many()
                    .col_expr(roll::Column::Channel, Expr::value(Channel::Electronic))
                    .filter(roll::Column::Sid.eq(sid))
                    .filter(roll::Column::ResidentId.eq(resident))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await
}

/// Where the slips went, and which count for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlipAccount {
    #[serde(flatten)]
    pub numbers: SlipNumbers,
    pub voided: Voided,
}

/// What the office reports.
#[derive(Clone, Debug)]
pub struct SlipReport {
    pub printed: u32,
    pub drawn: u32,
    pub returned: u32,
    pub spoiled: u32,
    /// The slips that lie in the bag. May be left out where nobody drew any: then it is all of them.
    pub unused: Vec<UnusedSlip>,
}

/// The office accounts for the slips when the box is shut and before it is handed over; without that nothing is counted.
///
/// # Errors
/// When the numbers or slips do not fit the batch, a slip was not read but picked from the public list, or the box is handed over.
pub async fn settle_slips(
    store: &Store,
    command: &Command,
    sid: BallotBoxId,
    report: SlipReport,
) -> Result<Outcome<()>, Fault> {
    let row = find_box(store, sid).await?;
    may(&command.actor, Action::ManageSealedSurvey, &subject_of(&row))?;
    if row.state != BoxState::Closed || row.handed_over {
        return Err(Fault::refused(SealedSurveyRefusal::WrongState));
    }
    let slips = slips_of(store.reader(), sid).await?;
    let account = account(store, sid, &slips, report).await?;
    let kept = serde_json::to_value(&account).map_err(Fault::unavailable)?;
    store
        .command(row.county_id, command, move |unit| {
            Box::pin(async move {
                let row = lock(unit, sid).await?;
                if row.state != BoxState::Closed || row.handed_over {
                    return Err(Fault::refused(SealedSurveyRefusal::WrongState));
                }
                ballot_boxes::Entity::update_many()
                    .col_expr(ballot_boxes::Column::SlipAccount, Expr::value(Some(kept)))
                    .filter(ballot_boxes::Column::Sid.eq(sid))
                    .exec(unit.connection())
                    .await?;
                Ok(Done::new((), AuditEntry::new("paper_slips_settled", row.survey_id)))
            })
        })
        .await
}

async fn account(store: &Store, sid: BallotBoxId, slips: &Slips, report: SlipReport) -> Result<SlipAccount, Fault> {
    let wrong = || Fault::refused(SealedSurveyRefusal::WrongSlips);
    let number = |count: usize| u32::try_from(count).map_err(Fault::unavailable);
    let nobody_came = report.drawn == 0 && report.unused.is_empty();
    let left = if nobody_came {
        slips.voided()
    } else {
        if !report.unused.iter().all(|slip| slip.is_held(&sid.sid())) {
            return Err(wrong());
        }
        let keys: BTreeSet<_> = report.unused.iter().map(|slip| slip.pk).collect();
        let tags: BTreeSet<_> = report.unused.iter().map(|slip| slip.tag).collect();
        Voided { keys: keys.into_iter().collect(), tags: tags.into_iter().collect() }
    };
    if slips.is_empty() || !left.is_of(slips) {
        return Err(wrong());
    }
    let registered = roll::Entity::find()
        .filter(roll::Column::Sid.eq(sid))
        .filter(roll::Column::Channel.eq(Channel::Paper))
        .count(store.reader())
        .await?;
    let leaves = lines(store.reader(), sid).await?;
    let leaves: Vec<_> = leaves.iter().filter_map(|line| Leaf::parse(line.as_bytes()).ok()).collect();
    let thrown = winners(&leaves).map_err(Fault::unavailable)?;
    let used = thrown.keys().filter(|tag| slips.has_tag(tag) && left.tags.binary_search(tag).is_err()).count();
    let SlipReport { printed, drawn, returned, spoiled, .. } = report;
    let told = Told { printed, drawn, returned, spoiled, unused: number(left.keys.len())? };
    let known = Known {
        printed: number(slips.len())?,
        registered: u32::try_from(registered).map_err(Fault::unavailable)?,
        used: number(used)?,
    };
    let numbers = slip_account::settle(told, known).ok_or_else(wrong)?;
    Ok(SlipAccount { numbers, voided: if numbers.batch_void { slips.voided() } else { left } })
}

/// Whether slips were announced that are not printed yet.
pub(super) async fn waits_for_slips(
    connection: &impl ConnectionTrait,
    row: &ballot_boxes::Model,
) -> Result<bool, Fault> {
    if manifest_of(row)?.paper == 0 {
        return Ok(false);
    }
    Ok(box_files::Entity::find_by_id((row.sid, SLIPS.to_owned())).one(connection).await?.is_none())
}

/// Whether slips were given out for which nobody has accounted.
///
/// # Errors
/// When the manifest cannot be read.
pub fn is_unaccounted(row: &ballot_boxes::Model) -> Result<bool, Fault> {
    Ok(row.slip_account.is_none() && manifest_of(row)?.paper > 0)
}

/// The public halves of a box's slips.
pub(super) async fn slips_of(connection: &impl ConnectionTrait, sid: BallotBoxId) -> Result<Slips, Fault> {
    match box_files::Entity::find_by_id((sid, SLIPS.to_owned())).one(connection).await? {
        Some(file) => serde_json::from_slice(&file.content).map_err(Fault::unavailable),
        None => Ok(Slips::default()),
    }
}

/// Slips that count for nothing.
pub(super) fn voided_slips(row: &ballot_boxes::Model) -> Result<Voided, Fault> {
    match &row.slip_account {
        None => Ok(Voided::default()),
        Some(account) => {
            let account: SlipAccount = serde_json::from_value(account.clone()).map_err(Fault::unavailable)?;
            Ok(account.voided)
        }
    }
}
