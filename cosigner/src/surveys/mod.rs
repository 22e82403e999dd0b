//! One survey box at the co-signer, from the agreed draft to the destruction of its keys.
//!
//! | state | may come | then |
//! |---|---|---|
//! | agreed | first checkpoint; paper slips; cancel | open; cancelled |
//! | open | checkpoints, credentials, register; close; cancel | closed or too few; cancelled |
//! | closed | envelopes; count; cancel | counted; cancelled |
//! | too few | last checkpoint | published |
//! | counted | last checkpoint | published |
//! | published | seven days | wiped |

mod agreement;
mod channel;
mod closing;
mod cosigning;
mod counting;
mod custody;
mod ending;
mod log;
mod minutes;

use qingfeng_ballots::{
    Hex,
    close::Voided,
    manifest::{Keys, Manifest},
    messages::SurveyId,
};
use sea_orm::{ActiveValue, ConnectionTrait, DeriveActiveEnum, EntityTrait, EnumIter, QuerySelect, prelude::StringLen};
use serde::{Deserialize, Serialize};

pub use agreement::{Agreed, Draft, PlatformKeys, Proposal, RollPlace, Unit};
pub use closing::Closed;
pub use cosigning::{AskedBy, CosignRequest, Cosigned};
pub use counting::Counted;
pub use custody::Share;
pub use log::{Extension, Signed};
pub use minutes::{Minute, MinuteKind};

use crate::{
    fault::{Fault, Refusal},
    roll::key_of,
    storage::entity::surveys,
};

/// How far a survey is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    Agreed,
    Open,
    Closed,
    TooFew,
    Counted,
    Published,
    Cancelled,
    Wiped,
}

/// How somebody takes part in one survey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(8))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    None,
    Paper,
}

/// Whether a row that is read will be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    None,
    /// Others may do the same at the same time.
    Shared,
    Exclusive,
}

/// A survey as it is kept, its manifest read.
pub(crate) struct Survey {
    pub row: surveys::Model,
    pub sid: SurveyId,
    pub manifest: Manifest,
}

impl Survey {
    pub(crate) async fn find(connection: &impl ConnectionTrait, sid: &SurveyId, lock: Lock) -> Result<Self, Fault> {
        let query = surveys::Entity::find_by_id(key_of(sid));
        let query = match lock {
            Lock::None => query,
            Lock::Shared => query.lock_shared(),
            Lock::Exclusive => query.lock_exclusive(),
        };
        let row = query.one(connection).await?.ok_or_else(Refusal::unknown_survey)?;
        let manifest = serde_json::from_str(&row.manifest).map_err(Fault::unavailable)?;
        Ok(Self { row, sid: *sid, manifest })
    }

    /// The three public keys of the survey.
    pub(crate) fn keys(&self) -> Result<Keys, Fault> {
        self.manifest.keys().map_err(Fault::unavailable)
    }

    /// Writes some columns of its row.
    pub(crate) async fn update(
        &self,
        connection: &impl ConnectionTrait,
        change: impl FnOnce(&mut surveys::ActiveModel),
    ) -> Result<(), Fault> {
        let mut row = surveys::ActiveModel { sid: ActiveValue::Unchanged(key_of(&self.sid)), ..Default::default() };
        change(&mut row);
        surveys::Entity::update(row).exec(connection).await?;
        Ok(())
    }

    /// Paper slips that count for nothing.
    pub(crate) fn voided(&self) -> Result<Voided, Fault> {
        let kept = self.row.voided.as_deref().map(serde_json::from_str).transpose().map_err(Fault::unavailable)?;
        Ok(kept.unwrap_or_default())
    }

    /// Roll leaves that were kept as a list.
    pub(crate) fn kept_list(text: Option<&str>) -> Result<Vec<Hex<32>>, Fault> {
        serde_json::from_str(text.unwrap_or("[]")).map_err(Fault::unavailable)
    }
}

/// A list for [`Survey::kept_list`].
pub(crate) fn list_to_keep(list: &[Hex<32>]) -> Result<String, Fault> {
    serde_json::to_string(list).map_err(Fault::unavailable)
}
