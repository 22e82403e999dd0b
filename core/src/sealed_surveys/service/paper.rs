//! Paper slips: signed as one batch before the opening, drawn from a bag, accounted for before the count.

use std::collections::BTreeSet;

use qingfeng_ballots::{
    Hex,
    blind::prepare,
    canonical::{canonical, sha256},
    close::PaperSlip,
    messages,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use serde::{Deserialize, Serialize};

use super::super::{
    BallotBoxId, BoxState, Channel, SealedSurveyRefusal,
    entity::{ballot_boxes, box_files, issuance, roll},
};
use super::{
    find_box,
    issuing::{Signed, keys_of},
    keys, lock,
    log_keeping::manifest_of,
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

/// The slips' public halves, one a line.
pub(super) const SLIPS: &str = "paper.jsonl";
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
/// When a slip is not signed, stands twice, or their number is another.
pub async fn keep_slips(store: &Store, sid: BallotBoxId, mut slips: Vec<PaperSlip>) -> Result<(), Fault> {
    let row = find_box(store, sid).await?;
    let manifest = manifest_of(&row).map_err(|_| Fault::refused(SealedSurveyRefusal::WrongState))?;
    let wrong = || Fault::refused(SealedSurveyRefusal::WrongSlips);
    if usize::try_from(manifest.paper) != Ok(slips.len()) {
        return Err(wrong());
    }
    slips.sort_unstable_by_key(|slip| slip.pk);
    let tags: BTreeSet<_> = slips.iter().map(|slip| slip.tag).collect();
    if tags.len() != slips.len() || !slips.is_sorted_by(|one, next| one.pk < next.pk) {
        return Err(wrong());
    }
    let keys = manifest.keys().map_err(Fault::unavailable)?;
    let (slips, signed) = tokio::task::spawn_blocking(move || {
        let sid = sid.sid();
        let signed = slips.iter().all(|slip| {
            let credential = messages::credential(&sid, &slip.pk);
            let tag = prepare(&slip.pd.0, &messages::drop_tag(&sid, &slip.tag));
            keys.a.verify(&prepare(&slip.pa.0, &credential), slip.sa.as_slice()).is_ok()
                && keys.b.verify(&prepare(&slip.pb.0, &credential), slip.sb.as_slice()).is_ok()
                && keys.d.verify(&tag, slip.sd.as_slice()).is_ok()
        });
        (slips, signed)
    })
    .await
    .map_err(Fault::unavailable)?;
    if !signed {
        return Err(wrong());
    }
    let content: Vec<u8> = slips.iter().flat_map(|slip| [canonical(slip), vec![b'\n']].concat()).collect();
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
/// When the actor may not, the box takes no answers, the person is not on the roll or has a credential.
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

/// Where the slips went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlipAccount {
    pub printed: u32,
    pub drawn: u32,
    pub returned: u32,
    pub spoiled: u32,
    /// Ballot keys that count for nothing, sorted: of slips that nobody drew, or all when more came back than were drawn.
    pub voided: Vec<Hex<32>>,
    /// More came back than were drawn: the whole batch counts for nothing, and the result says so.
    pub batch_void: bool,
}

/// The office accounts for the slips, after the box was shut for electronic credentials and before it is handed over.
///
/// `unused` are the ballot keys of the slips that were left in the bag: the codes themselves would be a vote.
///
/// # Errors
/// When the numbers or keys do not fit the batch, or the box is counted already.
pub async fn settle_slips(
    store: &Store,
    command: &Command,
    sid: BallotBoxId,
    mut account: SlipAccount,
    unused: Vec<Hex<32>>,
) -> Result<Outcome<()>, Fault> {
    let row = find_box(store, sid).await?;
    may(&command.actor, Action::ManageSealedSurvey, &subject_of(&row))?;
    let known = known_slips(store, sid).await?;
    let wrong = || Fault::refused(SealedSurveyRefusal::WrongSlips);
    let unused: BTreeSet<_> = unused.into_iter().collect();
    let left =
        usize::try_from(account.printed.checked_sub(account.drawn).ok_or_else(wrong)?).map_err(Fault::unavailable)?;
    if usize::try_from(account.printed) != Ok(known.len()) || unused.len() != left || !unused.is_subset(&known) {
        return Err(wrong());
    }
    account.batch_void = account.returned > account.drawn;
    account.voided = if account.batch_void { known } else { unused }.into_iter().collect();
    let kept = serde_json::to_value(&account).map_err(Fault::unavailable)?;
    store
        .command(row.county_id, command, move |unit| {
            Box::pin(async move {
                let row = lock(unit, sid).await?;
                if !matches!(row.state, BoxState::Casting | BoxState::Issuing | BoxState::Closed) || row.handed_over {
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

async fn known_slips(store: &Store, sid: BallotBoxId) -> Result<BTreeSet<Hex<32>>, Fault> {
    let file = box_files::Entity::find_by_id((sid, SLIPS.to_owned())).one(store.reader()).await?;
    let content = file.ok_or_else(|| Fault::refused(SealedSurveyRefusal::WrongSlips))?.content;
    let lines = content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| Ok(serde_json::from_slice::<PaperSlip>(line).map_err(Fault::unavailable)?.pk)).collect()
}

/// Ballot keys of slips that count for nothing.
pub(super) fn voided_slips(row: &ballot_boxes::Model) -> Result<Vec<Hex<32>>, Fault> {
    match &row.slip_account {
        None => Ok(Vec::new()),
        Some(account) => {
            let account: SlipAccount = serde_json::from_value(account.clone()).map_err(Fault::unavailable)?;
            Ok(account.voided)
        }
    }
}
