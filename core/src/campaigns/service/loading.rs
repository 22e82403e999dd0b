use chrono::Days;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    duties::{cancel_dropped, open_until},
    owners::{Establishment, Vacancy},
    scheduling::keep_schedule,
};
use crate::{
    audit::AuditEntry,
    calendar::Calendar,
    campaigns::{Plan, entity::campaigns},
    ids::{CampaignId, CountyId, OrganizationId},
    people::{
        OrganizationKind,
        authorization::{Action, Subject, may},
        entity::organizations,
    },
    refusal::{Fault, Refusal, RefusalKind},
    storage::{Command, Done, Outcome, Store},
};

/// What loading a plan did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadOutcome {
    pub campaign: CampaignId,
    /// From 1; the same file loaded again keeps it.
    pub version: i32,
    /// Duties that were opened now; the rest follow as their time comes near.
    pub opened: u32,
    /// Offices that nobody holds.
    pub vacancies: Vec<Vacancy>,
}

/// Creates the campaign of a plan in a township, or brings the existing one with the plan's key up to the file. What the
/// new file no longer asks for is cancelled; what is done stays.
///
/// # Errors
/// When the actor may not, or there is no such township.
pub async fn load_plan(
    store: &Store,
    calendar: &Calendar,
    command: &Command,
    township: OrganizationId,
    plan: Plan,
    source: String,
) -> Result<Outcome<LoadOutcome>, Fault> {
    let place = organizations::Entity::find_by_id(township)
        .one(store.reader())
        .await?
        .filter(|place| place.kind == OrganizationKind::Township)
        .ok_or_else(|| Refusal::new(RefusalKind::NotFound, "unknown_township", "没有这个乡镇。"))?;
    let county = place.county_id;
    let subject = Subject { county: Some(county), township: Some(township), ..Subject::default() };
    may(&command.actor, Action::LoadCampaign, &subject)?;
    let calendar = calendar.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let known = campaigns::Entity::find()
                    .filter(campaigns::Column::TownshipId.eq(township))
                    .filter(campaigns::Column::Key.eq(&plan.key))
                    .lock_exclusive()
                    .one(unit.connection())
                    .await?;
                let row = row_of(unit, known.as_ref(), county, township, &plan, source)?;
                let before = known.as_ref().map(|known| known.source_digest.clone());
                keep(unit, known.as_ref(), &row).await?;
                keep_schedule(unit, &row, &plan).await?;
                if known.is_some() {
                    cancel_dropped(unit, row.id, &plan).await?;
                }
                let establishment = Establishment::read(unit.connection(), county, township, unit.today()).await?;
                let first = unit.today().max(plan.starts_on);
                let opened = open_until(unit, &calendar, &row, &plan, &establishment, first).await?;
                let owed = plan.owed();
                let mut offices: Vec<_> = owed.iter().filter_map(|duty| plan.office(&duty.owner)).collect();
                offices.sort_by(|one, other| one.key.cmp(&other.key));
                offices.dedup_by(|one, other| one.key == other.key);
                let vacancies = establishment.vacancies(offices.into_iter());
                let outcome = LoadOutcome { campaign: row.id, version: row.version, opened, vacancies };
                let mut entry = AuditEntry::new("campaign_loaded", row.id);
                entry.permission = Some(Action::LoadCampaign);
                Ok(Done::new(outcome, entry.changing(&before, &row.source_digest)))
            })
        })
        .await
}

fn row_of(
    unit: &crate::storage::UnitOfWork,
    known: Option<&campaigns::Model>,
    county: CountyId,
    township: OrganizationId,
    plan: &Plan,
    source: String,
) -> Result<campaigns::Model, Fault> {
    let plan_json = serde_json::to_value(plan).map_err(Fault::unavailable)?;
    let changed = known.is_none_or(|known| known.plan != plan_json || known.source != source);
    Ok(campaigns::Model {
        id: known.map_or_else(|| CampaignId::new(unit.randomness(), unit.now()), |known| known.id),
        county_id: county,
        township_id: township,
        key: plan.key.clone(),
        name: plan.name.clone(),
        starts_on: plan.starts_on,
        ends_on: plan.ends_on,
        plan: plan_json,
        complaint_clocks: json!(plan.complaints),
        source_digest: Sha256::digest(source.as_bytes()).to_vec(),
        source,
        version: known.map_or(0, |known| known.version) + i32::from(changed),
        // A new file may ask for more within the stretch that was opened already.
        duties_opened_until: plan.starts_on - Days::new(1),
        loaded_at: unit.now(),
    })
}

async fn keep(
    unit: &crate::storage::UnitOfWork,
    known: Option<&campaigns::Model>,
    row: &campaigns::Model,
) -> Result<(), Fault> {
    if known.is_none() {
        let row = campaigns::ActiveModel::from(row.clone());
        campaigns::Entity::insert(row).exec_without_returning(unit.connection()).await?;
        return Ok(());
    }
    campaigns::Entity::update_many()
        .set(campaigns::ActiveModel {
            name: Set(row.name.clone()),
            starts_on: Set(row.starts_on),
            ends_on: Set(row.ends_on),
            plan: Set(row.plan.clone()),
            complaint_clocks: Set(row.complaint_clocks.clone()),
            source: Set(row.source.clone()),
            source_digest: Set(row.source_digest.clone()),
            version: Set(row.version),
            duties_opened_until: Set(row.duties_opened_until),
            loaded_at: Set(row.loaded_at),
            ..Default::default()
        })
        .filter(campaigns::Column::Id.eq(row.id))
        .exec(unit.connection())
        .await?;
    Ok(())
}
