//! The sheet of an anonymous survey is made as soon as its last box is out, not at an hour.

use qingfeng_core::{ids::CountyId, refusal::Fault, sealed_surveys::results};

use super::failures;
use crate::Bot;

/// Under this name `/readyz` tells that a sheet could not be made.
const JOB: &str = "sealed_survey_results";

pub(super) async fn publish(bot: &Bot, county: CountyId) -> Result<(), Fault> {
    match results::publish_finished(&bot.store, county).await {
        Ok(0) => Ok(()),
        Ok(_) => failures::forget(bot, county, JOB).await,
        // One county's trouble is not the others'.
        Err(fault) => {
            tracing::error!(%fault, %county, "the result of an anonymous survey cannot be made; it is tried again");
            failures::record(bot, county, JOB).await
        }
    }
}
