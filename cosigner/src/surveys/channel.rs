//! 登记簿: who votes on paper gets no credential on the phone, and the other way round.

use qingfeng_ballots::messages::SurveyId;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, IntoActiveModel, QuerySelect};
use uuid::Uuid;

use super::{Channel, Lock, State, Survey, cosigning::cosigned_for};
use crate::{
    Authority,
    fault::{Fault, Kind, Refusal},
    roll::key_of,
    storage::entity::survey_roll,
};

impl Authority {
    /// The register says: this resident votes on paper. Once more is the same.
    ///
    /// # Errors
    /// Refuses who is not on the roll, who drew a credential already, and a survey that does not run.
    pub async fn register_paper(&self, sid: &SurveyId, resident: Uuid) -> Result<(), Fault> {
        let transaction = self.store.begin().await?;
        let survey = Survey::find(&transaction, sid, Lock::Shared).await?;
        let place = survey_roll::Entity::find_by_id((key_of(sid), resident))
            .lock_exclusive()
            .one(&transaction)
            .await?
            .ok_or_else(|| Refusal::new(Kind::NotFound, "not_on_roll", "这次测评的名册里没有这个人。"))?;
        if place.channel == Channel::Paper {
            return Ok(());
        }
        if !matches!(survey.row.state, State::Agreed | State::Open) {
            return Err(Refusal::conflict("not_issuing", "票箱已经封了。").into());
        }
        if cosigned_for(&transaction, sid, resident).await?.is_some() {
            return Err(Refusal::conflict("already_issued", "他（她）已经用手机领过票，不能再领纸票。").into());
        }
        set_paper(&transaction, place).await?;
        transaction.commit().await?;
        Ok(())
    }
}

async fn set_paper(connection: &impl ConnectionTrait, place: survey_roll::Model) -> Result<(), Fault> {
    let mut row = place.into_active_model();
    row.channel = Set(Channel::Paper);
    survey_roll::Entity::update(row).exec(connection).await?;
    Ok(())
}
