use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};

use super::{ResultRefusal, entity::sheets, viewing};
use crate::{
    audit::AuditEntry,
    ids::{CountyId, SealedSurveyId},
    people::authorization::{Action, may},
    refusal::{Fault, Refusal},
    storage::{Command, Done, Outcome, Store},
};

/// Those evaluated may see their own result from now on: an act of the office, after the committee has studied it.
///
/// # Errors
/// When the actor may not (who was evaluated himself never), the result is public anyway or was released before.
pub async fn release(
    store: &Store,
    command: &Command,
    county: CountyId,
    survey: SealedSurveyId,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let sheet = sheets::Entity::find_by_id(survey)
                    .lock_exclusive()
                    .one(unit.connection())
                    .await?
                    .filter(|sheet| sheet.county_id == county)
                    .ok_or_else(Refusal::not_found)?;
                let mut subject = viewing::subject(&sheet);
                for result in viewing::rows(unit.connection(), survey).await? {
                    subject.concerns_staff.extend(result.evaluatee_staff_id);
                    subject.concerns_organizations.extend(result.evaluatee_organization_id);
                }
                may(&actor, Action::ReleaseResults, &subject)?;
                if sheet.purpose.is_public() {
                    return Err(Fault::refused(ResultRefusal::Public));
                }
                if sheet.released_at.is_some() {
                    return Err(Fault::refused(ResultRefusal::AlreadyReleased));
                }
                sheets::Entity::update_many()
                    .col_expr(sheets::Column::ReleasedAt, Expr::value(unit.now()))
                    .filter(sheets::Column::SurveyId.eq(survey))
                    .exec(unit.connection())
                    .await?;
                Ok(Done::new((), AuditEntry::new("sealed_survey_results_released", survey)))
            })
        })
        .await
}
