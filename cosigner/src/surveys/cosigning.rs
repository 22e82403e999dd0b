//! 联署: a blind signature for somebody whom the own roll names, once per survey.

use std::sync::Arc;

use chrono::TimeDelta;
use qingfeng_ballots::{
    Hex,
    ballot::is_signed_by,
    blind::{BlindError, BlindSigner, RsaSigner},
    canonical::sha256,
    messages::{self, SurveyId},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Channel, Lock, State, Survey, agreement::date};
use crate::{
    Authority,
    fault::{Fault, Kind, Refusal},
    roll::key_of,
    storage::entity::{cosignings, people, survey_roll},
};

/// Who already has the platform's signature when the period ends still gets this one.
const GRACE: TimeDelta = TimeDelta::days(1);

/// From this level on no page gets a signature, whoever has served it; from the next on no phone does.
const LEVEL_WITHOUT_PAGES: u8 = 3;
const LEVEL_OF_PAPER: u8 = 4;

/// What runs on the phone that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedBy {
    /// A page in a browser: loaded anew each time, and perhaps another for this one person.
    Page,
    Program,
}

/// A phone asks, with the key that was enrolled here.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosignRequest {
    pub sid: SurveyId,
    pub device: Hex<32>,
    /// The blinded ballot key.
    pub b: Hex<256>,
    /// Of the device, over `messages::request(sid, [b])`.
    pub signature: Hex<64>,
}

/// The blind signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cosigned {
    pub sb: Hex<256>,
}

impl Authority {
    /// Signs. The same request gets the same bytes again.
    ///
    /// # Errors
    /// Refuses a bad device signature, a phone that is not enrolled, who is not on the roll or votes on paper, a second
    /// request, every request outside the period, and one by a way that the manifest's level excludes.
    pub async fn cosign(&self, request: &CosignRequest, asked_by: AskedBy) -> Result<Cosigned, Fault> {
        let message = messages::request(&request.sid, &[request.b.as_slice()]);
        if !is_signed_by(&request.device, &message, &request.signature) {
            return Err(Refusal::new(Kind::Unauthenticated, "bad_signature", "手机的签名不对。").into());
        }
        let survey = Survey::find(self.store.reader(), &request.sid, Lock::None).await?;
        check_level(survey.manifest.min_level, asked_by)?;
        let req_hash = sha256(&[request.b.as_slice()]);
        // Signed before it is recorded, so that a number that cannot be signed uses nobody's right up; given out after.
        self.entitled(self.store.reader(), request, &req_hash, Lock::None).await?;
        let signer = self.signer(&request.sid).await?;
        let (randomness, blinded) = (self.randomness.clone(), request.b);
        let signed = tokio::task::spawn_blocking(move || signer.blind_sign(blinded.as_slice(), &*randomness)).await?;
        let signed = signed.map_err(|error| match error {
            BlindError::OutOfRange | BlindError::WrongLength => {
                Fault::from(Refusal::new(Kind::BadInput, "bad_blinded", "手机送来的数不能签名，请更新后再试。"))
            }
            fault => Fault::unavailable(fault),
        })?;
        let sb = Hex::try_from(signed.as_slice()).map_err(Fault::unavailable)?;

        let transaction = self.store.begin().await?;
        let resident = self.entitled(&transaction, request, &req_hash, Lock::Shared).await?;
        let row = cosignings::ActiveModel {
            sid: Set(key_of(&request.sid)),
            resident: Set(resident),
            req_hash: Set(req_hash.as_slice().to_vec()),
            day: Set(self.today()),
        };
        let once = OnConflict::columns([cosignings::Column::Sid, cosignings::Column::Resident]).do_nothing().to_owned();
        let recorded = cosignings::Entity::insert(row).on_conflict(once).exec_without_returning(&transaction).await?;
        if recorded == 0 {
            // Recorded meanwhile or long ago: by this very request?
            self.entitled(&transaction, request, &req_hash, Lock::Shared).await?;
        }
        transaction.commit().await?;
        Ok(Cosigned { sb })
    }

    /// Whose request it is, if it may be signed.
    async fn entitled(
        &self,
        connection: &impl ConnectionTrait,
        request: &CosignRequest,
        req_hash: &Hex<32>,
        lock: Lock,
    ) -> Result<Uuid, Fault> {
        let survey = Survey::find(connection, &request.sid, lock).await?;
        let person = people::Entity::find().filter(people::Column::Device.eq(request.device.as_slice()));
        let person = if lock == Lock::None { person } else { person.lock_exclusive() };
        let person = person
            .one(connection)
            .await?
            .ok_or_else(|| Refusal::conflict("not_enrolled", "这部手机还没有用登记卡登记，请先登记。"))?;
        let place = survey_roll::Entity::find_by_id((key_of(&request.sid), person.resident));
        let place = if lock == Lock::None { place } else { place.lock_exclusive() };
        let place = place
            .one(connection)
            .await?
            .ok_or_else(|| Refusal::new(Kind::NotFound, "not_on_roll", "这次测评的名册里没有您。"))?;
        if place.channel == Channel::Paper {
            return Err(Refusal::conflict("votes_on_paper", "您已登记用纸票，不能再用手机领票。").into());
        }
        if let Some(issued) = cosigned_for(connection, &request.sid, person.resident).await?
            && issued != req_hash.as_slice()
        {
            let sentence = "您已经领过票，不能再领。换了手机或清了数据的，请用原来的手机。";
            return Err(Refusal::conflict("already_issued", sentence).into());
        }
        if !self.issues(&survey) {
            return Err(Refusal::conflict("not_issuing", "现在不是领票的时间。").into());
        }
        Ok(person.resident)
    }

    fn issues(&self, survey: &Survey) -> bool {
        let windows = &survey.manifest.windows;
        let (from, until) =
            (date(&windows.issue_from), date(&windows.issue_until).and_then(|until| until.checked_add_signed(GRACE)));
        let today = Some(self.today());
        survey.row.state == State::Open && from <= today && today <= until
    }

    /// The survey's key over ballot keys.
    pub(crate) async fn signer(&self, sid: &SurveyId) -> Result<Arc<RsaSigner>, Fault> {
        if let Some(signer) = self.remembered_signer(sid) {
            return Ok(signer);
        }
        let survey = Survey::find(self.store.reader(), sid, Lock::None).await?;
        let gone = || Refusal::conflict("not_issuing", "现在不是领票的时间。");
        let sealed = survey.row.signer_sealed.as_deref().ok_or_else(gone)?;
        let der = self.keys.sealer.open(&format!("signer of {sid}"), sealed)?;
        let signer = tokio::task::spawn_blocking(move || RsaSigner::from_pkcs8(&der)).await?;
        let signer = Arc::new(signer.map_err(Fault::unavailable)?);
        self.remember_signer(*sid, signer.clone());
        Ok(signer)
    }
}

fn check_level(min_level: u8, asked_by: AskedBy) -> Result<(), Refusal> {
    if min_level >= LEVEL_OF_PAPER {
        return Err(Refusal::conflict("paper_only", "这次测评只用纸票，手机不能领票。请到村里抽纸票。"));
    }
    if min_level >= LEVEL_WITHOUT_PAGES && asked_by == AskedBy::Page {
        return Err(Refusal::conflict("level_too_low", "这次测评请从小程序作答，网页的保护不够。"));
    }
    Ok(())
}

/// For which request somebody's credential was signed.
pub(super) async fn cosigned_for(
    connection: &impl ConnectionTrait,
    sid: &SurveyId,
    resident: Uuid,
) -> Result<Option<Vec<u8>>, Fault> {
    let row = cosignings::Entity::find_by_id((key_of(sid), resident)).one(connection).await?;
    Ok(row.map(|row| row.req_hash))
}
