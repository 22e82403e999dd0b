use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::json;

use super::entity::rules;
use crate::{
    ids::{CampaignId, CountyId, SealedSurveyId},
    refusal::Fault,
    sealed_surveys::questionnaires::Questionnaire,
    storage::UnitOfWork,
};

/// With which questionnaire a survey is held.
#[derive(Clone, Debug)]
pub struct Adoption {
    pub survey: SealedSurveyId,
    pub questionnaire: Questionnaire,
    /// The campaign and the key of the evaluation in its plan, when the plan asks for it.
    pub asked_for_by: Option<(CampaignId, String)>,
}

/// Fixes the rules of a survey, in the transaction that plans it: whoever sees the answers must not choose the weights.
///
/// # Errors
/// When the database does not answer.
pub async fn adopt(unit: &UnitOfWork, county: CountyId, adoption: Adoption) -> Result<(), Fault> {
    let (campaign, evaluation) = adoption.asked_for_by.unzip();
    rules::Entity::insert(rules::ActiveModel {
        survey_id: Set(adoption.survey),
        county_id: Set(county),
        questionnaire: Set(json!(adoption.questionnaire)),
        campaign_id: Set(campaign),
        evaluation_key: Set(evaluation),
    })
    .exec_without_returning(unit.connection())
    .await?;
    Ok(())
}
