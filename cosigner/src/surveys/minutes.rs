//! 记录: what people did with keys, counts and cards, in order and by day. Published as it is.

use chrono::NaiveDate;
use qingfeng_ballots::{Hex, messages::SurveyId};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};

use crate::{Authority, fault::Fault, roll::key_of, storage::entity::minutes};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MinuteKind {
    CardReissued,
    /// Somebody is rated, and therefore not asked.
    Recused,
    SharesHandedOut,
    PaperPrinted,
    Counted,
    Cancelled,
    Wiped,
    /// The platform signed two logs that exclude each other; its note stands in the entry.
    ForkRefused,
}

impl MinuteKind {
    fn word(self) -> &'static str {
        match self {
            Self::CardReissued => "card_reissued",
            Self::Recused => "recused",
            Self::SharesHandedOut => "shares_handed_out",
            Self::PaperPrinted => "paper_printed",
            Self::Counted => "counted",
            Self::Cancelled => "cancelled",
            Self::Wiped => "wiped",
            Self::ForkRefused => "fork_refused",
        }
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minute {
    pub number: i32,
    pub day: NaiveDate,
    pub kind: String,
    pub sid: Option<Hex<16>>,
    pub content: String,
    /// Who was present.
    pub observers: Vec<String>,
}

impl Authority {
    pub(crate) async fn minute(
        &self,
        connection: &impl ConnectionTrait,
        kind: MinuteKind,
        sid: Option<&SurveyId>,
        content: &str,
        observers: &[String],
    ) -> Result<(), Fault> {
        let last: Option<i32> = minutes::Entity::find()
            .select_only()
            .column(minutes::Column::Number)
            .order_by_desc(minutes::Column::Number)
            .into_tuple()
            .one(connection)
            .await?;
        let row = minutes::ActiveModel {
            number: Set(last.unwrap_or(0) + 1),
            day: Set(self.today()),
            kind: Set(kind.word().into()),
            sid: Set(sid.map(key_of)),
            content: Set(content.into()),
            observers: Set(serde_json::to_string(observers).map_err(Fault::unavailable)?),
        };
        minutes::Entity::insert(row).exec_without_returning(connection).await?;
        Ok(())
    }

    /// All minutes, from the first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn minutes(&self) -> Result<Vec<Minute>, Fault> {
        let rows = minutes::Entity::find().order_by_asc(minutes::Column::Number).all(self.store.reader()).await?;
        rows.into_iter()
            .map(|row| {
                Ok(Minute {
                    number: row.number,
                    day: row.day,
                    kind: row.kind,
                    sid: row.sid.and_then(|sid| Hex::try_from(sid.as_slice()).ok()),
                    content: row.content,
                    observers: serde_json::from_str(&row.observers).map_err(Fault::unavailable)?,
                })
            })
            .collect()
    }
}
