//! 封箱: the platform closes the box with a checkpoint that all have signed, and hands the envelopes over.

use std::collections::BTreeSet;

use qingfeng_ballots::{
    Hex,
    canonical::sha256,
    close::Voided,
    count::winners,
    envelope::{ENVELOPE_LENGTH, has_form},
    log::{Leaf, Pinned, Tree},
    messages::SurveyId,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::OnConflict};
use serde::{Deserialize, Serialize};

use super::{
    Lock, State, Survey, list_to_keep,
    log::{box_leaves, leaves, length, read_note},
};
use crate::{
    Authority,
    fault::{Fault, Kind, Refusal},
    paper::slips_of,
    roll::key_of,
    storage::entity::{cosignings, envelopes, survey_roll},
    verifier_keys::without_role,
};

/// The platform says that the box is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// Roll leaves for which the platform issued, sorted.
    pub issued_a: Vec<Hex<32>>,
    /// Checkpoint over the closed box, signed by platform, co-signer and a witness.
    pub note: String,
    /// Paper slips that count for nothing.
    #[serde(default)]
    pub voided: Voided,
}

impl Authority {
    /// Closes the box: from here nobody gets a credential, and the key that made them is destroyed.
    ///
    /// # Errors
    /// Refuses a checkpoint without quorum or not over the own copy, lists that do not fit the roll or the paper
    /// slips, and another close of the same box.
    pub async fn close(&self, sid: &SurveyId, closed: &Closed) -> Result<State, Fault> {
        let transaction = self.store.begin().await?;
        let survey = Survey::find(&transaction, sid, Lock::Exclusive).await?;
        let voided = serde_json::to_string(&closed.voided).map_err(Fault::unavailable)?;
        let lists = (list_to_keep(&closed.issued_a)?, voided);
        match survey.row.state {
            State::Open => {}
            State::Agreed => return Err(Refusal::conflict("not_open", "这次测评还没有开始。").into()),
            State::Cancelled => return Err(Refusal::conflict("cancelled", "这次测评已经取消。").into()),
            state => {
                let same =
                    survey.row.issued_a.as_ref() == Some(&lists.0) && survey.row.voided.as_ref() == Some(&lists.1);
                let differs = || Refusal::conflict("close_differs", "票箱已经按另一份清单封了。");
                return if same { Ok(state) } else { Err(differs().into()) };
            }
        }
        let held = leaves(&transaction, sid).await?;
        self.check_closing_note(&survey, &closed.note, &held)?;
        check_lists(&transaction, &survey, closed).await?;
        let issued_b = issued_leaves(&transaction, sid).await?;
        let tags = winners(&box_leaves(&held)?).map_err(|tag| Fault::unavailable(format!("tag {tag} repeats")))?;
        // Slips that count for nothing hide nobody.
        let tags = tags.keys().filter(|tag| !closed.voided.tags.contains(tag)).count();
        let enough = tags >= usize::try_from(survey.manifest.k_min).unwrap_or(usize::MAX);
        let state = if enough { State::Closed } else { State::TooFew };
        let size = i64::try_from(held.len()).map_err(Fault::unavailable)?;
        let issued_b = list_to_keep(&issued_b)?;
        survey
            .update(&transaction, |row| {
                row.state = Set(state);
                row.closed_size = Set(Some(size));
                row.issued_a = Set(Some(lists.0));
                row.issued_b = Set(Some(issued_b));
                row.voided = Set(Some(lists.1));
                row.signer_sealed = Set(None);
            })
            .await?;
        transaction.commit().await?;
        self.forget_signer(sid);
        tracing::info!(%sid, tags, enough, "the box is closed");
        Ok(state)
    }

    fn check_closing_note(&self, survey: &Survey, note: &str, held: &[Vec<u8>]) -> Result<(), Fault> {
        let (_, claim) = read_note(note)?;
        let mut tree = Tree::default();
        for leaf in held {
            tree.append(leaf);
        }
        if claim.size != length(held) || tree.root(claim.size) != Some(claim.root) {
            let sentence = "封箱的检查点与联署人的日志对不上。";
            return Err(Refusal::conflict("log_forked", sentence).with("size", length(held)).into());
        }
        let quorum = self.quorum(survey)?;
        quorum.read(note.as_bytes(), &survey.manifest.origin).map_err(|_| {
            let sentence = "封箱的检查点没有平台、联署人和见证人三方的签名。";
            Refusal::new(Kind::BadInput, "no_quorum", sentence)
        })?;
        Ok(())
    }

    /// Platform, co-signer and the witnesses that are pinned here or, where none is, agreed in the draft.
    fn quorum(&self, survey: &Survey) -> Result<Pinned, Fault> {
        let platform = self.platform.as_ref().map(|key| key.text()).unwrap_or_default();
        let own = self.keys.log.public.as_str();
        let mut text = format!("platform {platform}\ncosigner {own}\n");
        let witnesses: BTreeSet<_> = if self.witnesses.is_empty() {
            let named = survey.manifest.vkeys.iter().map(|key| without_role(key));
            named.filter(|key| *key != platform && *key != own).collect()
        } else {
            self.witnesses.iter().map(|key| key.text()).collect()
        };
        for witness in witnesses {
            text.push_str(&format!("witness {witness}\n"));
        }
        Pinned::parse(&text).map_err(Fault::unavailable)
    }

    /// Takes envelopes of the box over; those that it has already are skipped.
    ///
    /// # Errors
    /// Refuses what is no envelope, and envelopes that do not stand in the log.
    pub async fn take_envelopes(&self, sid: &SurveyId, bytes: &[u8]) -> Result<(), Fault> {
        let whole = bytes.chunks_exact(ENVELOPE_LENGTH);
        if !whole.remainder().is_empty() || whole.len() == 0 || !whole.clone().all(has_form) {
            return Err(Refusal::new(Kind::BadInput, "bad_envelope", "送来的不是整封的信封。").into());
        }
        let transaction = self.store.begin().await?;
        let survey = Survey::find(&transaction, sid, Lock::Exclusive).await?;
        if !matches!(survey.row.state, State::Open | State::Closed) {
            return match survey.row.state {
                // Nothing will be opened, or everything was: envelopes are not wanted any more.
                State::TooFew | State::Counted | State::Published => Ok(()),
                _ => Err(Refusal::conflict("not_open", "这次测评现在不收信封。").into()),
            };
        }
        let logged: BTreeSet<_> = box_leaves(&leaves(&transaction, sid).await?)?
            .into_iter()
            .filter_map(|leaf| if let Leaf::Box { h, .. } = leaf { Some(h) } else { None })
            .collect();
        let mut rows = std::collections::BTreeMap::new();
        for envelope in whole {
            let hash = sha256(&[envelope]);
            if !logged.contains(&hash) {
                let sentence = "有信封不在日志里。";
                return Err(Refusal::new(Kind::BadInput, "unlogged_envelope", sentence)
                    .with("envelope", hash.to_string())
                    .into());
            }
            rows.insert(hash, envelope);
        }
        let rows: Vec<_> = rows
            .into_iter()
            .map(|(hash, envelope)| envelopes::ActiveModel {
                sid: Set(key_of(sid)),
                hash: Set(hash.as_slice().to_vec()),
                envelope: Set(envelope.to_vec()),
            })
            .collect();
        for rows in rows.chunks(100) {
            let known = OnConflict::columns([envelopes::Column::Sid, envelopes::Column::Hash]).do_nothing().to_owned();
            envelopes::Entity::insert_many(rows.iter().cloned())
                .on_conflict(known)
                .exec_without_returning(&transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// The lists are sorted, without repeats, and name only what exists.
async fn check_lists(connection: &impl ConnectionTrait, survey: &Survey, closed: &Closed) -> Result<(), Fault> {
    let ascending = |list: &[Hex<32>]| list.is_sorted_by(|one, next| one < next);
    let roll: BTreeSet<_> = survey.manifest.roll.iter().collect();
    if !ascending(&closed.issued_a) || !closed.issued_a.iter().all(|leaf| roll.contains(leaf)) {
        return Err(Refusal::new(Kind::BadInput, "bad_issued", "平台的领票清单有重复，或有名册外的人。").into());
    }
    if !closed.voided.is_of(&slips_of(connection, &survey.sid).await?.unwrap_or_default()) {
        return Err(Refusal::new(Kind::BadInput, "bad_voided", "作废的不是这次测评的纸票。").into());
    }
    Ok(())
}

/// Roll leaves for which the co-signer signed, sorted.
async fn issued_leaves(connection: &impl ConnectionTrait, sid: &SurveyId) -> Result<Vec<Hex<32>>, Fault> {
    let issued: BTreeSet<_> = cosignings::Entity::find()
        .filter(cosignings::Column::Sid.eq(key_of(sid)))
        .all(connection)
        .await?
        .into_iter()
        .map(|row| row.resident)
        .collect();
    let places = survey_roll::Entity::find().filter(survey_roll::Column::Sid.eq(key_of(sid))).all(connection).await?;
    let mut leaves = places
        .iter()
        .filter(|place| issued.contains(&place.resident))
        .map(|place| Hex::try_from(place.leaf.as_slice()).map_err(Fault::unavailable))
        .collect::<Result<Vec<_>, _>>()?;
    leaves.sort_unstable();
    Ok(leaves)
}
