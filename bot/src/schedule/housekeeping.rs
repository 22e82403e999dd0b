//! What is no longer needed goes, by the clock.

use chrono::TimeDelta;
use qingfeng_core::{
    evidence::entity::files,
    ids::CountyId,
    outbox::departures,
    people::{
        account_links,
        entity::{invitations, refresh_tokens},
    },
    refusal::Fault,
    storage,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{Bot, callbacks};

/// Photos that were uploaded and never used.
const UNUSED_UPLOADS_KEPT_DAYS: i64 = 30;

pub(super) async fn sweep(bot: &Bot, county: CountyId) -> Result<(), Fault> {
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move {
                refresh_tokens::Entity::delete_many()
                    .filter(refresh_tokens::Column::CountyId.eq(county))
                    .filter(refresh_tokens::Column::ExpiresAt.lt(unit.now()))
                    .exec(unit.connection())
                    .await?;
                invitations::Entity::delete_many()
                    .filter(invitations::Column::CountyId.eq(county))
                    .filter(invitations::Column::ExpiresAt.lt(unit.now()))
                    // A used one shows that somebody has signed in, for whom nobody may get another (`people::invitations`).
                    .filter(invitations::Column::UsedAt.is_null())
                    .filter(invitations::Column::UsedInBrowserAt.is_null())
                    .exec(unit.connection())
                    .await?;
                files::Entity::delete_many()
                    .filter(files::Column::CountyId.eq(county))
                    .filter(files::Column::UploaderId.is_not_null())
                    .filter(files::Column::UploadedAt.lt(unit.now() - TimeDelta::days(UNUSED_UPLOADS_KEPT_DAYS)))
                    .exec(unit.connection())
                    .await?;
                departures::Entity::delete_many()
                    .filter(departures::Column::CountyId.eq(county))
                    .filter(departures::Column::GuardedUntil.lt(unit.now() - TimeDelta::days(1)))
                    .exec(unit.connection())
                    .await?;
                account_links::forget_the_gone(unit, county).await?;
                callbacks::forget_old_events(unit, county).await?;
                storage::forget_old_requests(unit, county).await
            })
        })
        .await
}
