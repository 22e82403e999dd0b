//! A survey whose days are over is closed by the clock: nobody chooses the moment at which its numbers are read.

use chrono::NaiveDate;
use qingfeng_core::{
    ids::CountyId,
    people::Actor,
    refusal::Fault,
    storage::Command,
    surveys::{self, SurveyState, entity::surveys as rows},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::Bot;

pub(super) async fn close_finished(bot: &Bot, county: CountyId, today: NaiveDate) -> Result<(), Fault> {
    let finished = rows::Entity::find()
        .filter(rows::Column::CountyId.eq(county))
        .filter(rows::Column::State.eq(SurveyState::Open))
        .filter(rows::Column::ClosesOn.lt(today))
        .order_by_asc(rows::Column::Id)
        .all(bot.store.reader())
        .await?;
    for survey in finished {
        match surveys::close(&bot.store, &Command::by(&Actor::System { county }), county, survey.id).await {
            // The office was faster.
            Err(Fault::Refused(_)) | Ok(_) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}
