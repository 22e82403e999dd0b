use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use serde::{Deserialize, Serialize};

use super::{
    Way,
    entity::{complaints as links, problems},
};
use crate::{
    audit::AuditEntry,
    campaigns,
    complaints::{self, Body, Title},
    ids::{CampaignId, ComplaintId, EntryId, OrganizationId, ProblemId},
    numbers,
    people::{
        Actor, OrganizationKind,
        authorization::{Action, Reach, Subject, may, reach},
        concerns::{self, Concerns},
        entity::organizations,
    },
    refusal::{Fault, FieldFault, Refusal},
    storage::{Command, Done, Outcome, Store},
};

/// A problem to be put on the list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewProblem {
    pub village: OrganizationId,
    pub campaign: Option<CampaignId>,
    pub way: Way,
    /// Key in the campaign's taxonomy.
    pub category: String,
    pub title: Option<String>,
    /// In original words.
    pub words: String,
    pub concerns: Concerns,
    /// Complaints it was found by.
    pub complaints: Vec<ComplaintId>,
}

/// Puts a problem on the list.
///
/// # Errors
/// What is wrong with the input; when the actor may not.
pub async fn record(store: &Store, command: &Command, mut new: NewProblem) -> Result<Outcome<ProblemId>, Fault> {
    let unknown = || Refusal::invalid(vec![FieldFault::new("/village_id", "没有这个村。")]);
    let village = organizations::Entity::find_by_id(new.village)
        .one(store.reader())
        .await?
        .filter(|place| place.kind == OrganizationKind::Village)
        .ok_or_else(unknown)?;
    let (county, township) = (village.county_id, village.parent_id.ok_or_else(unknown)?);
    let subject = Subject {
        county: Some(county),
        township: Some(township),
        village: Some(village.id),
        concerns_organizations: new.concerns.organizations.clone(),
        concerns_staff: new.concerns.staff.clone(),
        ..Subject::default()
    };
    may(&command.actor, Action::RecordProblem, &subject)?;
    let words = Body::parse("/words", &new.words)?;
    let title = Title::of(new.title.as_deref(), &words)?.into_string();
    if new.category.is_empty() || new.category.chars().count() > 60 {
        return Err(Refusal::invalid(vec![FieldFault::new("/category", "请选择问题类别。")]).into());
    }
    if let Some(campaign) = new.campaign {
        let known = campaigns::queries::of_township(store.reader(), township, campaign).await?;
        let known = known
            .ok_or_else(|| Refusal::invalid(vec![FieldFault::new("/campaign_id", "本镇没有开展这个专项行动。")]))?;
        if known.plan.category(&new.category).is_none() {
            let sentence = format!("“{}”没有这个问题类别。", known.plan.name);
            return Err(Refusal::invalid(vec![FieldFault::new("/category", sentence)]).into());
        }
    }
    for complaint in &new.complaints {
        // Who may not see the complaint may not use it; whom it is about stays kept out.
        let seen = complaints::queries::detail(store, &command.actor, *complaint).await?.subject;
        new.concerns.join(Concerns { organizations: seen.concerns_organizations, staff: seen.concerns_staff });
    }
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let id = ProblemId::new(unit.randomness(), unit.now());
                problems::Entity::insert(problems::ActiveModel {
                    id: Set(id),
                    county_id: Set(county),
                    township_id: Set(township),
                    village_id: Set(village.id),
                    campaign_id: Set(new.campaign),
                    number: Set(numbers::fresh("WT", unit)),
                    way: Set(new.way),
                    category: Set(new.category),
                    title: Set(title),
                    words: Set(words.into_string()),
                    solved: Set(false),
                    recorded_at: Set(unit.now()),
                })
                .exec_without_returning(unit.connection())
                .await?;
                concerns::record(unit, county, id.into(), &new.concerns).await?;
                let rows: Vec<_> = new
                    .complaints
                    .iter()
                    .map(|complaint| links::ActiveModel {
                        id: Set(EntryId::new(unit.randomness(), unit.now())),
                        county_id: Set(county),
                        problem_id: Set(id),
                        complaint_id: Set(*complaint),
                    })
                    .collect();
                if !rows.is_empty() {
                    links::Entity::insert_many(rows).exec_without_returning(unit.connection()).await?;
                }
                Ok(Done::new(id, AuditEntry::new("problem_recorded", id)))
            })
        })
        .await
}

/// The problems the actor may see, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    store: &Store,
    actor: &Actor,
    village: Option<OrganizationId>,
    before: Option<ProblemId>,
) -> Result<Vec<problems::Model>, Fault> {
    let Reach::Staff(reach) = reach(actor, Action::ViewProblem) else { return Ok(Vec::new()) };
    let mut within = Condition::any();
    if reach.whole_county {
        within = within.add(problems::Column::CountyId.eq(reach.county));
    }
    within = within
        .add(problems::Column::TownshipId.is_in(reach.townships.clone()))
        .add(problems::Column::VillageId.is_in(reach.units.clone()));
    let id = Expr::col((problems::Entity, problems::Column::Id));
    let mut query = problems::Entity::find().filter(within).filter(concerns::not_concerning(&reach, id));
    if let Some(village) = village {
        query = query.filter(problems::Column::VillageId.eq(village));
    }
    if let Some(before) = before {
        query = query.filter(problems::Column::Id.lt(before));
    }
    Ok(query.order_by_desc(problems::Column::Id).limit(complaints::queries::PAGE).all(store.reader()).await?)
}
