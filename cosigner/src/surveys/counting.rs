//! 计票: the closed box is opened, before observers, against the log.

use std::collections::BTreeSet;

use qingfeng_ballots::{
    Hex,
    ballot::Ballot,
    close::Voided,
    count::{Count, CountRefusal, Junk, count},
    messages::SurveyId,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};

use super::{
    Lock, MinuteKind, Share, State, Survey,
    log::{box_leaves, leaves},
};
use crate::{
    Authority,
    config::Counting,
    fault::{Fault, Kind, Refusal},
    roll::key_of,
    storage::entity::{envelopes, results},
};

/// Fewer people than this are no observers.
const FEWEST_OBSERVERS: usize = 2;

/// What came out of the box, for the platform to publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub ballots: Vec<Ballot>,
    pub junk: Vec<Junk>,
    pub unopenable: Vec<Hex<32>>,
    pub withheld: Vec<Hex<32>>,
    /// Roll leaves for which the co-signer signed.
    pub issued_b: Vec<Hex<32>>,
    pub voided: Voided,
    /// Who was present; empty where the count follows by itself.
    pub observers: Vec<String>,
}

impl Counted {
    pub(super) fn into_count(self) -> Count {
        Count { ballots: self.ballots, junk: self.junk, unopenable: self.unopenable, withheld: self.withheld }
    }
}

impl Authority {
    /// Counts the closed box before observers. Minuted.
    ///
    /// # Errors
    /// Refuses fewer than two different observers, a box that is not closed or not complete, and the wrong shares.
    pub async fn count(&self, sid: &SurveyId, observers: &[String], shares: &[Share]) -> Result<Counted, Fault> {
        let names: BTreeSet<_> = observers.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).collect();
        if names.len() < FEWEST_OBSERVERS || names.len() != observers.len() {
            return Err(Refusal::invalid("计票至少要有两位监票人在场，姓名不能重复。").into());
        }
        self.open_box(sid, observers, shares).await
    }

    /// The result, as the platform asks for it. Where the count is automatic, asking counts.
    ///
    /// # Errors
    /// `not_counted`, `too_few`, `cancelled`, or `wiped`.
    pub async fn counted(&self, sid: &SurveyId) -> Result<Counted, Fault> {
        let survey = Survey::find(self.store.reader(), sid, Lock::None).await?;
        match survey.row.state {
            State::Closed if self.settings.surveys.count == Counting::Automatic => {
                match self.open_box(sid, &[], &[]).await {
                    // Asked for twice at once: the other one has counted meanwhile.
                    Err(fault) if fault.code() == Some("already_counted") => {
                        self.result(self.store.reader(), sid).await?.ok_or(fault)
                    }
                    answer => answer,
                }
            }
            State::Agreed | State::Open | State::Closed => Err(Refusal::conflict("not_counted", "还没有计票。").into()),
            State::TooFew => Err(too_few().into()),
            State::Cancelled => Err(Refusal::conflict("cancelled", "这次测评已经取消，没有开箱。").into()),
            State::Wiped => Err(wiped().into()),
            State::Counted | State::Published => match self.result(self.store.reader(), sid).await? {
                Some(result) => Ok(result),
                // Published without a count.
                None => Err(too_few().into()),
            },
        }
    }

    async fn open_box(&self, sid: &SurveyId, observers: &[String], shares: &[Share]) -> Result<Counted, Fault> {
        let survey = Survey::find(self.store.reader(), sid, Lock::None).await?;
        match survey.row.state {
            State::Closed => {}
            State::TooFew => return Err(too_few().into()),
            State::Agreed | State::Open => {
                return Err(Refusal::conflict("not_closed", "票箱还没有封，不能计票。").into());
            }
            _ => return Err(Refusal::conflict("already_counted", "已经计过票，或已经取消、销毁。").into()),
        }
        let result = self.read_box(&survey, observers, shares).await?;
        let transaction = self.store.begin().await?;
        let now = Survey::find(&transaction, sid, Lock::Exclusive).await?;
        if now.row.state != State::Closed {
            drop(transaction);
            // Somebody counted meanwhile; from the same box comes the same result.
            let counted = self.result(self.store.reader(), sid).await?;
            return counted.ok_or_else(|| Refusal::conflict("cancelled", "这次测评已经取消，没有开箱。").into());
        }
        let row = results::ActiveModel {
            sid: Set(key_of(sid)),
            result: Set(serde_json::to_string(&result).map_err(Fault::unavailable)?),
        };
        results::Entity::insert(row).exec_without_returning(&transaction).await?;
        now.update(&transaction, |row| row.state = Set(State::Counted)).await?;
        let content = format!(
            "开箱计票：有效{}，无效{}，打不开{}，不重复计{}",
            result.ballots.len(),
            result.junk.len(),
            result.unopenable.len(),
            result.withheld.len()
        );
        self.minute(&transaction, MinuteKind::Counted, Some(sid), &content, observers).await?;
        transaction.commit().await?;
        tracing::info!(%sid, ballots = result.ballots.len(), junk = result.junk.len(), "counted");
        Ok(result)
    }

    async fn read_box(&self, survey: &Survey, observers: &[String], shares: &[Share]) -> Result<Counted, Fault> {
        let box_key = self.box_key(survey, shares)?;
        let log = box_leaves(&leaves(self.store.reader(), &survey.sid).await?)?;
        let held = envelopes::Entity::find()
            .filter(envelopes::Column::Sid.eq(key_of(&survey.sid)))
            .all(self.store.reader())
            .await?;
        let held = held
            .iter()
            .map(|row| Hex::try_from(row.envelope.as_slice()).map_err(Fault::unavailable))
            .collect::<Result<Vec<_>, _>>()?;
        let voided = survey.voided()?;
        let (manifest, keys, given_up) = (survey.manifest.clone(), survey.keys()?, voided.clone());
        let counted =
            tokio::task::spawn_blocking(move || count(&manifest, &keys, &log, &held, &given_up, &box_key)).await?;
        let Count { ballots, junk, unopenable, withheld } = counted.map_err(|refusal| match refusal {
            CountRefusal::Missing(hash) => {
                Fault::from(Refusal::conflict("not_counted", "信封还没有收齐。").with("envelope", hash.to_string()))
            }
            other => Fault::unavailable(other),
        })?;
        let issued_b = Survey::kept_list(survey.row.issued_b.as_deref())?;
        Ok(Counted { ballots, junk, unopenable, withheld, issued_b, voided, observers: observers.to_vec() })
    }

    /// The result, if there is one.
    pub(super) async fn result(
        &self,
        connection: &impl ConnectionTrait,
        sid: &SurveyId,
    ) -> Result<Option<Counted>, Fault> {
        let row = results::Entity::find_by_id(key_of(sid)).one(connection).await?;
        row.map(|row| serde_json::from_str(&row.result).map_err(Fault::unavailable)).transpose()
    }
}

fn too_few() -> Refusal {
    Refusal::conflict("too_few", "票太少，开箱会暴露人，按规定不开。")
}

fn wiped() -> Refusal {
    Refusal::new(Kind::Gone, "wiped", "密钥和信封已经按规定销毁。")
}
