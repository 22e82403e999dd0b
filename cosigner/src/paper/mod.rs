//! 纸票: slips that are drawn from a bag. Who holds one has both signatures; nobody knows who that is.
//!
//! The tool makes codes, derives the keys from them, has both authorities sign blindly, prints, and forgets the codes.

mod platform;
mod sheet;

use ed25519_dalek::SigningKey;
use qingfeng_ballots::{blind::BlindSigner, close::Slips, codes::Code, messages::SurveyId, voter::Request};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use zeroize::Zeroizing;

pub use platform::{PlatformPaper, Signatures, Wanted};
pub use sheet::slips_sheet;

use crate::{
    Authority,
    fault::{Fault, Refusal},
    roll::key_of,
    storage::entity::slips,
    surveys::{Lock, MinuteKind, State, Survey},
};

/// Slips made: the codes for the printer; the public halves for everybody, in an order of their own.
pub struct Batch {
    pub title: String,
    pub codes: Vec<Code>,
    pub slips: Slips,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Batch of {}", self.slips.len())
    }
}

/// The keys of a slip, from its code.
#[must_use]
pub fn slip_keys(code: &Code, survey: &SurveyId) -> (SigningKey, SigningKey) {
    let seeds: Zeroizing<[[u8; 32]; 2]> = code.slip_seeds(survey);
    (SigningKey::from_bytes(&seeds[0]), SigningKey::from_bytes(&seeds[1]))
}

impl Authority {
    /// Makes the survey's paper slips. `print` gets them before their public halves are told to anybody: when it fails, nothing
    /// was made. Minuted.
    ///
    /// # Errors
    /// Refuses another number than was agreed, a survey that is open already, and a second batch.
    pub async fn make_paper(
        &self,
        sid: &SurveyId,
        number: u32,
        platform: &PlatformPaper,
        print: impl FnOnce(&Batch) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let survey = Survey::find(self.store.reader(), sid, Lock::None).await?;
        self.may_make_paper(self.store.reader(), &survey, number).await?;
        let keys = survey.keys()?;
        let signer = self.signer(sid).await?;
        let mut codes = Vec::new();
        let mut requests = Vec::new();
        for _ in 0..number {
            let code = Code::generate(&*self.randomness)?;
            let (ballot_key, tag_key) = slip_keys(&code, sid);
            let request = Request::with_keys(*sid, &keys, ballot_key, tag_key, &*self.randomness);
            requests.push(request.map_err(Fault::unavailable)?);
            codes.push(code);
        }
        let wanted = Wanted::of(*sid, &requests)?;
        let signatures = platform.sign(&self.keys.log, &wanted).await?;
        let mut made = Vec::new();
        for (request, (sa, sd)) in requests.into_iter().zip(signatures.sa.iter().zip(&signatures.sd)) {
            let sb = signer.blind_sign(request.for_cosigner(), &*self.randomness).map_err(Fault::unavailable)?;
            let credential = request
                .finish(&keys, sa.as_slice(), &sb, sd.as_slice())
                .map_err(|_| Refusal::conflict("bad_platform_signature", "平台对纸票的签名不对，没有打印。"))?;
            made.push(credential.slip());
        }
        if made.len() != codes.len() {
            return Err(Refusal::conflict("bad_platform_signature", "平台签的张数不对，没有打印。").into());
        }
        let batch = Batch { title: survey.manifest.title.clone(), codes, slips: Slips::new(made) };
        print(&batch)?;
        self.keep_slips(sid, number, &batch.slips).await?;
        platform.publish(&self.keys.log, sid, &batch.slips).await
    }

    async fn may_make_paper(
        &self,
        connection: &impl ConnectionTrait,
        survey: &Survey,
        number: u32,
    ) -> Result<(), Fault> {
        if survey.row.state != State::Agreed {
            return Err(Refusal::conflict("already_open", "测评已经开始，不能再做纸票。").into());
        }
        if number == 0 || number != survey.manifest.paper {
            let agreed = survey.manifest.paper;
            return Err(Refusal::invalid(format!("约定的纸票是{agreed}张，不能做{number}张。")).into());
        }
        if slips_of(connection, &survey.sid).await?.is_some() {
            return Err(Refusal::conflict("paper_made", "这次测评的纸票已经做过。").into());
        }
        Ok(())
    }

    async fn keep_slips(&self, sid: &SurveyId, number: u32, made: &Slips) -> Result<(), Fault> {
        let transaction = self.store.begin().await?;
        let survey = Survey::find(&transaction, sid, Lock::Exclusive).await?;
        self.may_make_paper(&transaction, &survey, number).await?;
        let row = slips::ActiveModel {
            sid: Set(key_of(sid)),
            slips: Set(serde_json::to_string(made).map_err(Fault::unavailable)?),
        };
        slips::Entity::insert(row).exec_without_returning(&transaction).await?;
        let content = format!("印制纸票{}张", made.len());
        self.minute(&transaction, MinuteKind::PaperPrinted, Some(sid), &content, &[]).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Tells the platform the public halves once more, when it did not hear them.
    ///
    /// # Errors
    /// Refuses when no slips were made.
    pub async fn publish_paper(&self, sid: &SurveyId, platform: &PlatformPaper) -> Result<(), Fault> {
        let made = slips_of(self.store.reader(), sid).await?;
        let made = made.ok_or_else(|| Refusal::conflict("no_paper", "这次测评没有做过纸票。"))?;
        platform.publish(&self.keys.log, sid, &made).await
    }
}

/// The slips that were made for a survey.
pub(crate) async fn slips_of(connection: &impl ConnectionTrait, sid: &SurveyId) -> Result<Option<Slips>, Fault> {
    let row = slips::Entity::find_by_id(key_of(sid)).one(connection).await?;
    row.map(|row| serde_json::from_str(&row.slips).map_err(Fault::unavailable)).transpose()
}
