//! The surveys that the office opened, for seeing which are open and what came of the others. How many have answered so far is told to
//! nobody.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use super::{Question, entity::surveys};
use crate::{
    ids::{OrganizationId, SurveyId},
    people::{
        Actor,
        authorization::{Action, Reach, reach},
        entity::organizations,
    },
    refusal::{Fault, Refusal},
    storage::Store,
};

/// Most rows of a page.
pub const PAGE: u64 = 30;

/// A survey with its questions and the name of its village.
#[derive(Clone, Debug)]
pub struct Listed {
    pub survey: surveys::Model,
    pub questions: Vec<Question>,
    pub village: String,
}

/// The surveys of the actor's townships, latest first; `before` is the last one of the page before.
///
/// # Errors
/// `forbidden` for those who open none; when the database does not answer.
pub async fn list(store: &Store, actor: &Actor, before: Option<SurveyId>) -> Result<Vec<Listed>, Fault> {
    let Reach::Staff(reach) = reach(actor, Action::ManageSurvey) else { return Err(Refusal::forbidden().into()) };
    let rows = list_query(&reach.townships, before).all(store.reader()).await?;
    let villages = organizations::Entity::find()
        .filter(organizations::Column::Id.is_in(rows.iter().map(|survey| survey.village_id)))
        .all(store.reader())
        .await?;
    let names: HashMap<_, _> = villages.into_iter().map(|village| (village.id, village.name)).collect();
    rows.into_iter()
        .map(|survey| {
            let questions = serde_json::from_value(survey.questions.clone()).map_err(Fault::unavailable)?;
            let village = names.get(&survey.village_id).cloned().unwrap_or_default();
            Ok(Listed { survey, questions, village })
        })
        .collect()
}

/// A page of the surveys of these townships.
#[must_use]
pub fn list_query(townships: &[OrganizationId], before: Option<SurveyId>) -> Select<surveys::Entity> {
    let mut query = surveys::Entity::find().filter(surveys::Column::TownshipId.is_in(townships.iter().copied()));
    if let Some(before) = before {
        query = query.filter(surveys::Column::Id.lt(before));
    }
    query.order_by_desc(surveys::Column::Id).limit(PAGE)
}
