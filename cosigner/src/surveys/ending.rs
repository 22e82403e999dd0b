//! 销毁: after publication, or when a survey is cancelled, keys and envelopes go.

use chrono::TimeDelta;
use qingfeng_ballots::{Hex, messages::SurveyId};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::{Lock, MinuteKind, State, Survey};
use crate::{
    Authority,
    fault::{Fault, Refusal},
    roll::key_of,
    storage::entity::{box_shares, envelopes, results, slips, surveys},
};

impl Authority {
    /// Cancels: nothing is opened; keys and envelopes are destroyed at once. Once more is the same.
    ///
    /// # Errors
    /// Refuses when the box was opened already.
    pub async fn cancel(&self, sid: &SurveyId) -> Result<(), Fault> {
        let transaction = self.store.begin().await?;
        let survey = Survey::find(&transaction, sid, Lock::Exclusive).await?;
        match survey.row.state {
            State::Cancelled => return Ok(()),
            State::Agreed | State::Open | State::Closed | State::TooFew => {}
            State::Counted | State::Published | State::Wiped => {
                return Err(Refusal::conflict("already_counted", "已经开箱，不能取消。").into());
            }
        }
        destroy(&transaction, &survey).await?;
        survey.update(&transaction, |row| row.state = Set(State::Cancelled)).await?;
        self.minute(&transaction, MinuteKind::Cancelled, Some(sid), "取消，没有开箱，密钥和信封已销毁", &[]).await?;
        transaction.commit().await?;
        self.forget_signer(sid);
        self.store.compact().await
    }

    /// Destroys keys, envelopes and the result's copy of one published survey, before its time if people say so.
    ///
    /// # Errors
    /// Refuses a survey that is not published.
    pub async fn wipe(&self, sid: &SurveyId, observers: &[String]) -> Result<(), Fault> {
        let transaction = self.store.begin().await?;
        let survey = Survey::find(&transaction, sid, Lock::Exclusive).await?;
        match survey.row.state {
            State::Wiped => return Ok(()),
            State::Published => {}
            _ => return Err(Refusal::conflict("not_published", "结果公布以后才能销毁。").into()),
        }
        destroy(&transaction, &survey).await?;
        let today = self.today();
        survey
            .update(&transaction, |row| {
                row.state = Set(State::Wiped);
                row.wiped_on = Set(Some(today));
            })
            .await?;
        let content = "票箱密钥、签名密钥和信封已销毁";
        self.minute(&transaction, MinuteKind::Wiped, Some(sid), content, observers).await?;
        transaction.commit().await?;
        self.forget_signer(sid);
        self.store.compact().await?;
        tracing::info!(%sid, "keys and envelopes are destroyed");
        Ok(())
    }

    /// Destroys what was published long enough ago; returns which.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn wipe_what_is_due(&self) -> Result<Vec<SurveyId>, Fault> {
        let published_until = self.today() - TimeDelta::days(self.settings.surveys.wipe_after_days.into());
        let due = surveys::Entity::find()
            .filter(surveys::Column::State.eq(State::Published))
            .filter(surveys::Column::PublishedOn.lte(published_until))
            .all(self.store.reader())
            .await?;
        let mut wiped = Vec::new();
        for row in due {
            let sid = Hex::try_from(row.sid.as_slice()).map_err(Fault::unavailable)?;
            self.wipe(&sid, &[]).await?;
            wiped.push(sid);
        }
        Ok(wiped)
    }
}

async fn destroy(connection: &impl ConnectionTrait, survey: &Survey) -> Result<(), Fault> {
    let sid = key_of(&survey.sid);
    survey
        .update(connection, |row| {
            row.signer_sealed = Set(None);
            row.box_key_sealed = Set(None);
        })
        .await?;
    box_shares::Entity::delete_many().filter(box_shares::Column::Sid.eq(sid.clone())).exec(connection).await?;
    envelopes::Entity::delete_many().filter(envelopes::Column::Sid.eq(sid.clone())).exec(connection).await?;
    slips::Entity::delete_many().filter(slips::Column::Sid.eq(sid.clone())).exec(connection).await?;
    results::Entity::delete_many().filter(results::Column::Sid.eq(sid)).exec(connection).await?;
    Ok(())
}
