//! The draft that platform and co-signer agree on. From it the co-signer makes the manifest itself; what is later
//! opened must be exactly that.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use chrono::NaiveDate;
use qingfeng_ballots::{
    Hex,
    answers::Question,
    blind::{self, BlindSigner},
    canonical::{canonical, canonical_hash},
    envelope::BoxKey,
    manifest::{BadManifest, Manifest, Moduli, Windows},
    messages::{SurveyId, roll_leaf},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Channel, Lock, MinuteKind, State, Survey};
use crate::{
    Authority,
    fault::{Fault, Kind, Refusal},
    roll::key_of,
    storage::entity::{people, survey_roll, surveys},
    verifier_keys::{PinnedKey, without_role},
};

/// Few enough rows per statement for both engines.
const MOST_VALUES: usize = 500;

/// More than this are not rated in one box: a platform that names more wants to be rid of voters.
const MOST_RATED: usize = 20;

/// The platform's two keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformKeys {
    pub a: Hex<256>,
    pub d: Hex<256>,
}

/// The manifest without what only the co-signer can add: its key, the box, the roll as it finds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    pub keys: PlatformKeys,
    /// `platform KEY`, `cosigner KEY`, `witness KEY`.
    pub vkeys: Vec<String>,
}

/// Somebody on the roll, with her leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollPlace {
    pub resident: Uuid,
    pub leaf: Hex<32>,
}

/// For whom the survey is: lets the co-signer find those whom the platform left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    pub villages: Vec<Uuid>,
    pub class: String,
    /// Those of them whom the survey rates: nobody votes on himself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rated: Vec<Uuid>,
}

/// What the platform proposes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    pub draft: Draft,
    pub roll: Vec<RollPlace>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
}

/// The co-signer's half of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// Modulus of its key over ballot keys.
    pub b: Hex<256>,
    /// Recipient of the envelopes, `age1…`.
    #[serde(rename = "box")]
    pub box_recipient: String,
}

impl Draft {
    fn manifest(self, roll: Vec<Hex<32>>, b: Hex<256>, box_recipient: String) -> Manifest {
        let Self { sid, title, questions, windows, k_min, q_min, l2_min, min_level, paper, origin, keys, vkeys } = self;
        let keys = Moduli { a: keys.a, b, d: keys.d };
        Manifest {
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
        }
    }
}

impl Authority {
    /// Agrees to a draft: checks roll and form, makes the key over ballot keys and the box key. The same proposal once more
    /// gets the same answer.
    ///
    /// # Errors
    /// Refuses a roll that differs from the own one (and names whom), keys of others, a draft that cannot be a manifest, and
    /// another draft under the same name.
    pub async fn agree(&self, proposal: Proposal) -> Result<Agreed, Fault> {
        let proposed = canonical_hash(&proposal).as_slice().to_vec();
        let sid = proposal.draft.sid;
        if let Some(held) = surveys::Entity::find_by_id(key_of(&sid)).one(self.store.reader()).await? {
            return self.agreed_before(&sid, &held.proposal, &proposed).await;
        }
        self.check_verifier_keys(&proposal.draft)?;
        check_windows(&proposal.draft.windows)?;
        self.check_roll(&proposal).await?;

        let randomness = self.randomness.clone();
        let signer =
            tokio::task::spawn_blocking(move || blind::generate(&*randomness)).await?.map_err(Fault::unavailable)?;
        let box_key = BoxKey::generate();
        let mut leaves: Vec<_> = proposal.roll.iter().map(|place| place.leaf).collect();
        leaves.sort_unstable();
        let b = Hex::try_from(signer.public_key().modulus()).map_err(Fault::unavailable)?;
        let manifest = proposal.draft.manifest(leaves, b, box_key.recipient());
        manifest.check().map_err(bad_draft)?;
        if usize::try_from(manifest.paper).unwrap_or(usize::MAX) > manifest.roll.len() {
            return Err(Refusal::new(Kind::BadInput, "bad_draft", "纸票不能比名册的人多。").into());
        }

        let transaction = self.store.begin().await?;
        let origins = surveys::Entity::find()
            .filter(surveys::Column::Origin.eq(&manifest.origin))
            .filter(surveys::Column::Sid.ne(key_of(&sid)))
            .one(&transaction)
            .await?;
        if origins.is_some() || !is_origin(&manifest.origin) {
            return Err(Refusal::new(Kind::BadInput, "bad_draft", "日志的名称不能用，或已被另一次测评用过。").into());
        }
        let key = signer.to_pkcs8().map_err(Fault::unavailable)?;
        let key_sealed = self.keys.sealer.seal(&format!("signer of {sid}"), &key, &*self.randomness)?;
        let row = surveys::Model {
            sid: key_of(&sid),
            origin: manifest.origin.clone(),
            proposal: proposed.clone(),
            manifest: String::from_utf8(canonical(&manifest)).map_err(Fault::unavailable)?,
            state: State::Agreed,
            signer_sealed: Some(key_sealed),
            box_key_sealed: None,
            closed_size: None,
            issued_a: None,
            issued_b: None,
            voided: None,
            published_on: None,
            wiped_on: None,
        };
        let inserted = surveys::Entity::insert(row.into_active_model())
            .on_conflict(OnConflict::column(surveys::Column::Sid).do_nothing().to_owned())
            .exec_without_returning(&transaction)
            .await?;
        if inserted == 0 {
            drop(transaction);
            let held = Survey::find(self.store.reader(), &sid, Lock::None).await?;
            return self.agreed_before(&sid, &held.row.proposal, &proposed).await;
        }
        self.keep_box_key(&transaction, &sid, &box_key).await?;
        keep_roll(&transaction, &sid, &proposal.roll).await?;
        let rated = proposal.unit.map_or(0, |unit| unit.rated.len());
        if rated > 0 {
            let content = format!("被测评的本人回避，不在名册：{rated}人");
            self.minute(&transaction, MinuteKind::Recused, Some(&sid), &content, &[]).await?;
        }
        transaction.commit().await?;
        self.remember_signer(sid, Arc::new(signer));
        tracing::info!(%sid, roll = manifest.roll.len(), rated, "agreed to a survey");
        Ok(Agreed { b: manifest.keys.b, box_recipient: manifest.box_recipient })
    }

    async fn agreed_before(&self, sid: &SurveyId, held: &[u8], proposed: &[u8]) -> Result<Agreed, Fault> {
        if held != proposed {
            return Err(Refusal::conflict("survey_differs", "这次测评已经按另一份方案约定过。").into());
        }
        let manifest = Survey::find(self.store.reader(), sid, Lock::None).await?.manifest;
        Ok(Agreed { b: manifest.keys.b, box_recipient: manifest.box_recipient })
    }

    /// The draft names the pinned platform, this co-signer and, where witnesses are pinned, one of them.
    fn check_verifier_keys(&self, draft: &Draft) -> Result<(), Refusal> {
        let named: Vec<_> = draft.vkeys.iter().map(|key| without_role(key)).collect();
        let platform = self.platform.as_ref().is_some_and(|key| named.contains(&key.text()));
        let own = named.contains(&self.keys.log.public.as_str());
        let others: BTreeSet<_> = named
            .iter()
            .filter(|key| **key != self.keys.log.public && self.platform.as_ref().is_none_or(|own| own.text() != **key))
            .collect();
        let witness = if self.witnesses.is_empty() {
            !others.is_empty() && others.iter().all(|key| PinnedKey::parse(key).is_ok())
        } else {
            self.witnesses.iter().any(|key| named.contains(&key.text()))
        };
        if platform && own && witness {
            Ok(())
        } else {
            Err(Refusal::new(Kind::BadInput, "foreign_keys", "方案里的公钥不是本机认定的平台、联署人和见证人的公钥。"))
        }
    }

    /// Each leaf follows from the own roll's commitment; nobody twice, nobody unknown, nobody left out but who is rated.
    async fn check_roll(&self, proposal: &Proposal) -> Result<(), Fault> {
        let sid = proposal.draft.sid;
        let mut differ = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let connection = self.store.reader();
        let mut own: HashMap<_, _> = HashMap::new();
        for places in proposal.roll.chunks(MOST_VALUES) {
            own.extend(commitments(connection, places.iter().map(|place| place.resident)).await?);
        }
        for place in &proposal.roll {
            let commitment = own.get(&place.resident).and_then(|commitment| commitment.as_deref());
            let leaf = commitment
                .and_then(|commitment| Hex::try_from(commitment).ok())
                .map(|commitment| roll_leaf(&sid, &commitment));
            if leaf != Some(place.leaf) || !seen.insert(place.resident) {
                differ.insert(place.resident);
            }
        }
        if let Some(unit) = &proposal.unit {
            let eligible = self.eligible(connection, &unit.villages, &unit.class).await?;
            differ.extend(seen.difference(&eligible));
            let rated: BTreeSet<_> = unit.rated.iter().copied().collect();
            if rated.len() > MOST_RATED {
                return Err(Refusal::new(Kind::BadInput, "bad_draft", "一个票箱里被测评的人太多。").into());
            }
            // Somebody on the roll, or of somewhere else, is not left out.
            differ.extend(rated.iter().filter(|person| !eligible.contains(person) || seen.contains(person)));
            let left_out: Vec<_> = eligible.difference(&seen).filter(|one| !rated.contains(one)).copied().collect();
            for residents in left_out.chunks(MOST_VALUES) {
                // Who has no card yet has no leaf: that is for the people who print cards.
                let held = commitments(connection, residents.iter().copied()).await?;
                differ.extend(held.into_iter().filter(|(_, held)| held.is_some()).map(|(resident, _)| resident));
            }
        }
        if proposal.roll.is_empty() {
            return Err(Refusal::new(Kind::BadInput, "bad_draft", "名册是空的。").into());
        }
        if differ.is_empty() {
            return Ok(());
        }
        let residents: Vec<_> = differ.iter().map(ToString::to_string).collect();
        let sentence = format!("有{}人与联署人的名册不一致，请重新核对名册。", residents.len());
        Err(Refusal::new(Kind::BadInput, "roll_mismatch", sentence).with("residents", residents).into())
    }
}

/// Of these residents, the commitments that the own roll has.
async fn commitments(
    connection: &impl ConnectionTrait,
    residents: impl Iterator<Item = Uuid>,
) -> Result<Vec<(Uuid, Option<Vec<u8>>)>, Fault> {
    let held = people::Entity::find().filter(people::Column::Resident.is_in(residents)).all(connection).await?;
    Ok(held.into_iter().map(|person| (person.resident, person.commitment)).collect())
}

async fn keep_roll(connection: &impl ConnectionTrait, sid: &SurveyId, roll: &[RollPlace]) -> Result<(), Fault> {
    for places in roll.chunks(MOST_VALUES) {
        let rows = places.iter().map(|place| survey_roll::ActiveModel {
            sid: Set(key_of(sid)),
            resident: Set(place.resident),
            leaf: Set(place.leaf.as_slice().to_vec()),
            channel: Set(Channel::None),
        });
        survey_roll::Entity::insert_many(rows).exec_without_returning(connection).await?;
    }
    Ok(())
}

fn is_origin(origin: &str) -> bool {
    (1..=200).contains(&origin.len())
        && !origin.chars().any(|character| character.is_whitespace() || character.is_control())
}

/// `YYYY-MM-DD`, nothing else.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    (text.len() == 10).then_some(())?;
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

fn check_windows(windows: &Windows) -> Result<(), Refusal> {
    let days = [&windows.issue_from, &windows.issue_until, &windows.cast_until].map(|text| date(text));
    let in_order = days.iter().all(Option::is_some) && days.is_sorted();
    if in_order && date(&windows.cast_from).is_some_and(|from| days[0] <= Some(from) && Some(from) <= days[2]) {
        Ok(())
    } else {
        Err(Refusal::new(Kind::BadInput, "bad_draft", "领票和投票的日期不对。"))
    }
}

fn bad_draft(reason: BadManifest) -> Refusal {
    let sentence = match reason {
        BadManifest::Version => "方案的版本不对。",
        BadManifest::Questions => "题目不对：一至八题，每题二至二十个选项。",
        BadManifest::Roll => "名册里有重复的人。",
        BadManifest::Keys => "三把签名公钥不对，或有相同的。",
        BadManifest::Recipient => "票箱公钥不对。",
        BadManifest::Thresholds => "公布门槛太低，保护不了人。",
    };
    Refusal::new(Kind::BadInput, "bad_draft", sentence)
}
