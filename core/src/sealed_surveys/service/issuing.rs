//! One credential for one person: signed blindly, without knowing what.

use ed25519_dalek::{Signature, VerifyingKey};
use qingfeng_ballots::{Hex, canonical::sha256, messages};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::OnConflict};
use serde::{Deserialize, Serialize};

use super::super::{
    BallotBoxId, BoxState, Channel, LEVEL_OF_PAPER, SealedSurveyRefusal,
    entity::{ballot_boxes, devices, issuance, roll, sealed_surveys},
};
use super::{
    find_box,
    keys::{self, SealedKeys},
    subject_of,
};
use crate::{
    clock::shanghai_date,
    ids::ResidentId,
    people::{
        Actor,
        authorization::{Action, may},
    },
    refusal::{Fault, Refusal},
    sealing::Sealer,
    storage::Store,
};

/// What the phone asks to have signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialRequest {
    /// The ballot key, blinded.
    pub a: Hex<256>,
    /// The tag, blinded.
    pub d: Hex<256>,
    /// By the enrolled phone.
    pub signature: Hex<64>,
}

/// Both, signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    pub sa: Hex<256>,
    pub sd: Hex<256>,
}

/// Signs for somebody on the roll, once. The same request again gets the same bytes: the answer may have been lost.
///
/// Kept are the request's hash and the day; no time, no bytes, no audit record: those would stand beside a person.
///
/// # Errors
/// Who is not on the roll, votes on paper, has another request signed, has no enrolled phone, or comes outside the days.
pub async fn issue(
    store: &Store,
    sealer: &Sealer,
    actor: &Actor,
    sid: BallotBoxId,
    request: CredentialRequest,
) -> Result<Signed, Fault> {
    let resident = actor.resident().ok_or_else(Refusal::forbidden)?.id;
    let row = find_box(store, sid).await?;
    may(actor, Action::AnswerSealedSurvey, &subject_of(&row))?;
    let survey =
        sealed_surveys::Entity::find_by_id(row.survey_id).one(store.reader()).await?.ok_or_else(Refusal::not_found)?;
    let entry = roll::Entity::find_by_id((sid, resident)).one(store.reader()).await?.ok_or_else(Refusal::not_found)?;
    check_channel(&entry)?;
    if survey.min_level >= LEVEL_OF_PAPER {
        return Err(Fault::refused(SealedSurveyRefusal::PaperOnly));
    }
    let window = survey.issue_from..=survey.issue_until;
    if row.state != BoxState::Issuing || !window.contains(&shanghai_date(store.clock().now())) {
        return Err(Fault::refused(SealedSurveyRefusal::NotIssuing));
    }
    let device = device_of(store, resident).await?.ok_or_else(|| Fault::refused(SealedSurveyRefusal::NotEnrolled))?;
    if !is_signed_by(&device, &sid, &request) {
        return Err(Fault::refused(SealedSurveyRefusal::WrongDevice));
    }
    let req_hash = sha256(&[request.a.as_slice(), request.d.as_slice()]).0.to_vec();
    if let Some(known) = issuance::Entity::find_by_id((sid, resident)).one(store.reader()).await?
        && known.req_hash != req_hash
    {
        return Err(Fault::refused(SealedSurveyRefusal::AlreadyIssued));
    }
    let keys = keys_of(&row)?;
    // Signed before it is written down: what cannot be signed must not use up the person's one right.
    let signed = keys::sign(store, sealer, keys, vec![(request.a, request.d)])
        .await?
        .map_err(|_| Fault::refused(SealedSurveyRefusal::BadRequest))?;
    write_down(store, sid, resident, req_hash).await?;
    let (sa, sd) = signed.into_iter().next().ok_or_else(|| Fault::unavailable("nothing was signed"))?;
    Ok(Signed { sa, sd })
}

async fn write_down(store: &Store, sid: BallotBoxId, resident: ResidentId, req_hash: Vec<u8>) -> Result<(), Fault> {
    store
        .anonymous(move |unit| {
            Box::pin(async move {
                // Both are held: the box must not close, and the register must not say paper, in between.
                let row = ballot_boxes::Entity::find_by_id(sid).lock_shared().one(unit.connection()).await?;
                if row.is_none_or(|row| row.state != BoxState::Issuing) {
                    return Err(Fault::refused(SealedSurveyRefusal::NotIssuing));
                }
                let entry = roll::Entity::find_by_id((sid, resident)).lock_exclusive().one(unit.connection()).await?;
                check_channel(&entry.ok_or_else(Refusal::not_found)?)?;
                let once =
                    OnConflict::columns([issuance::Column::Sid, issuance::Column::ResidentId]).do_nothing().to_owned();
                let first = issuance::Entity::insert_many([issuance::ActiveModel {
                    sid: Set(sid),
                    resident_id: Set(resident),
                    req_hash: Set(req_hash.clone()),
                    day: Set(unit.today()),
                }])
                .on_conflict(once)
                .exec_without_returning(unit.connection())
                .await?;
                if first == 1 {
                    return Ok(());
                }
                let known = issuance::Entity::find_by_id((sid, resident)).one(unit.connection()).await?;
                if known.is_some_and(|known| known.req_hash == req_hash) {
                    Ok(())
                } else {
                    Err(Fault::refused(SealedSurveyRefusal::AlreadyIssued))
                }
            })
        })
        .await
}

fn check_channel(entry: &roll::Model) -> Result<(), Fault> {
    match entry.channel {
        Channel::Electronic => Ok(()),
        Channel::Paper => Err(Fault::refused(SealedSurveyRefusal::VotesOnPaper)),
    }
}

pub(super) fn keys_of(row: &ballot_boxes::Model) -> Result<SealedKeys, Fault> {
    match (row.key_a_sealed.clone(), row.key_d_sealed.clone()) {
        (Some(ballot), Some(tag)) => Ok(SealedKeys { ballot, tag }),
        _ => Err(Fault::refused(SealedSurveyRefusal::NotIssuing)),
    }
}

/// The phone that is enrolled for this resident, as far as the platform has heard.
async fn device_of(store: &Store, resident: ResidentId) -> Result<Option<Hex<32>>, Fault> {
    let known = devices::Entity::find().filter(devices::Column::ResidentId.eq(resident)).one(store.reader()).await?;
    Ok(known.and_then(|known| known.device).and_then(|device| Hex::try_from(device.as_slice()).ok()))
}

fn is_signed_by(device: &Hex<32>, sid: &BallotBoxId, request: &CredentialRequest) -> bool {
    let message = messages::request(&sid.sid(), &[request.a.as_slice(), request.d.as_slice()]);
    VerifyingKey::from_bytes(&device.0)
        .and_then(|key| key.verify_strict(&message, &Signature::from_bytes(&request.signature.0)))
        .is_ok()
}
