//! Campaigns: what a township runs, from a plan file.

use actix_web::{HttpResponse, get, post, web};
use chrono::{DateTime, Days, NaiveDate, Utc};
use qingfeng_core::{
    campaigns::{self, entity::campaigns::Model, queries},
    clock::shanghai_date,
    ids::{CampaignId, DutyId, OrganizationId},
    refusal::{FieldFault, Refusal},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    authentication::SignedIn,
    complaints::county,
    input::Input,
    problem::{Answer, Problem},
};
use crate::Application;

/// Days of a preview, where none are named, and at most.
const SHOWN_DAYS: u64 = 30;
const MOST_SHOWN_DAYS: u64 = 366;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(detail).service(schedule).service(load).service(open_case);
}

#[derive(Debug, Serialize, ToSchema)]
pub struct CampaignLine {
    id: CampaignId,
    township_id: OrganizationId,
    key: String,
    name: String,
    starts_on: NaiveDate,
    ends_on: NaiveDate,
    /// Counts the loads that changed the plan.
    version: i32,
}

impl From<Model> for CampaignLine {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            township_id: row.township_id,
            key: row.key,
            name: row.name,
            starts_on: row.starts_on,
            ends_on: row.ends_on,
            version: row.version,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Campaigns {
    items: Vec<CampaignLine>,
}

/// The campaigns of my township, latest first.
#[utoipa::path(tag = "campaigns", security(("access_token" = [])), responses(
    (status = 200, body = Campaigns),
    (status = 401, body = Problem, content_type = "application/problem+json"),
))]
#[get("/campaigns")]
async fn list(application: web::Data<Application>, person: SignedIn) -> Answer<web::Json<Campaigns>> {
    let rows = queries::list(&application.store, &person.actor).await?;
    Ok(web::Json(Campaigns { items: rows.into_iter().map(CampaignLine::from).collect() }))
}

#[derive(Debug, Serialize, ToSchema)]
pub struct CampaignDetail {
    #[serde(flatten)]
    campaign: CampaignLine,
    /// Label of the phase that runs today.
    phase: Option<String>,
    /// The plan, in the form of `plans/plan.schema.json`.
    #[schema(value_type = Object)]
    plan: serde_json::Value,
    /// The plan file as it was loaded.
    source: String,
}

/// One campaign with its plan.
#[utoipa::path(tag = "campaigns", security(("access_token" = [])), responses(
    (status = 200, body = CampaignDetail),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
#[get("/campaigns/{id}")]
async fn detail(
    application: web::Data<Application>,
    person: SignedIn,
    id: web::Path<CampaignId>,
) -> Answer<web::Json<CampaignDetail>> {
    let campaign = queries::detail(&application.store, &person.actor, *id).await?;
    let today = shanghai_date(application.store.clock().now());
    Ok(web::Json(CampaignDetail {
        phase: campaign.plan.phase_on(today).map(|phase| phase.label.clone()),
        plan: campaign.row.plan.clone(),
        source: campaign.row.source.clone(),
        campaign: campaign.row.into(),
    }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ScheduleQuery {
    /// First day; none: today.
    from: Option<NaiveDate>,
    /// Last day; none: 30 days later.
    to: Option<NaiveDate>,
}

/// Something that the bot will do by itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComingRun {
    at: DateTime<Utc>,
    /// The entry of the plan.
    key: String,
    /// What is done, in Chinese.
    what: String,
    /// When it is done, in Chinese.
    rule: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ComingRuns {
    items: Vec<ComingRun>,
    /// From this year on some are not known yet, because its days off are not published.
    unknown_from: Option<i32>,
}

/// What the bot will do by itself for a campaign, and when; at most 200 times. Reminders and monthly posts only while no
/// campaign that began later has its own times for them in the township.
#[utoipa::path(tag = "campaigns", security(("access_token" = [])), params(ScheduleQuery), responses(
    (status = 200, body = ComingRuns),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[get("/campaigns/{id}/schedule")]
async fn schedule(
    application: web::Data<Application>,
    person: SignedIn,
    id: web::Path<CampaignId>,
    query: web::Query<ScheduleQuery>,
) -> Answer<web::Json<ComingRuns>> {
    let campaign = queries::detail(&application.store, &person.actor, *id).await?;
    let today = shanghai_date(application.store.clock().now());
    let from = query.from.unwrap_or(today);
    let later = |days| from.checked_add_days(Days::new(days));
    let to = query.to.or_else(|| later(SHOWN_DAYS));
    let Some(to) = to.filter(|to| from <= *to && later(MOST_SHOWN_DAYS).is_some_and(|most| *to <= most)) else {
        let sentence = format!("结束日期要在开始日期之后，最多看{MOST_SHOWN_DAYS}天。");
        return Err(Refusal::invalid(vec![FieldFault::new("/to", sentence)]).into());
    };
    let calendar = application.calendar.of(campaign.row.county_id).await?;
    let led = campaigns::schedule::led(application.store.reader(), &campaign.row).await?;
    let preview = campaign.plan.preview(&calendar, from, to, &led);
    let items = preview.times.into_iter().map(|coming| ComingRun {
        at: coming.at,
        key: coming.key,
        what: coming.runs.label().to_owned(),
        rule: coming.rule,
    });
    Ok(web::Json(ComingRuns { items: items.collect(), unknown_from: preview.unknown_from }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    township_id: OrganizationId,
    /// The plan file (TOML).
    source: String,
    /// Run it in another year: every date moves by whole years.
    #[serde(default)]
    year: Option<i32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LoadedCampaign {
    id: CampaignId,
    version: i32,
    /// Duties that were opened now.
    opened: u32,
    /// Offices that nobody holds: their reminders reach nobody.
    vacancies: Vec<VacantOffice>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct VacantOffice {
    office: String,
    unit: String,
}

/// Start a campaign from a plan file, or bring the running one up to the file. Every fault of the file is named.
#[utoipa::path(tag = "campaigns", security(("access_token" = [])), request_body = PlanFile,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 201, body = LoadedCampaign),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/campaigns")]
async fn load(application: web::Data<Application>, person: SignedIn, input: Input<PlanFile>) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, "load_campaign")?;
    let file = input.value;
    let mut plan = campaigns::read(&file.source).map_err(|faults| {
        Refusal::invalid(faults.iter().map(|fault| FieldFault::new("/source", fault.to_string())).collect())
    })?;
    if let Some(year) = file.year {
        if !(2000..=2100).contains(&year) {
            return Err(Refusal::invalid(vec![FieldFault::new("/year", "年份不对。")]).into());
        }
        plan = plan.moved_to_year(year);
    }
    let calendar = application.calendar.of(county(&person.actor)?).await?;
    let store = &application.store;
    let loaded = campaigns::load_plan(store, &calendar, &command, file.township_id, plan, file.source).await?.value;
    let vacancies = loaded.vacancies.into_iter();
    Ok(HttpResponse::Created().json(LoadedCampaign {
        id: loaded.campaign,
        version: loaded.version,
        opened: loaded.opened,
        vacancies: vacancies.map(|vacant| VacantOffice { office: vacant.office, unit: vacant.unit }).collect(),
    }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DutyCase {
    /// A duty of the plan with `every = "case"`.
    duty_key: String,
    unit_id: OrganizationId,
    /// Which matter, in a few words.
    about: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct OpenedCase {
    id: DutyId,
}

/// A case came up for which the plan sets a limit: give it to the unit that owes it.
#[utoipa::path(tag = "campaigns", security(("access_token" = [])), request_body = DutyCase,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 201, body = OpenedCase),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/campaigns/{id}/cases")]
async fn open_case(
    application: web::Data<Application>,
    person: SignedIn,
    id: web::Path<CampaignId>,
    input: Input<DutyCase>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, &format!("open_case:{id}"))?;
    let calendar = application.calendar.of(county(&person.actor)?).await?;
    let case = input.value;
    let opened =
        campaigns::open_case(&application.store, &calendar, &command, *id, &case.duty_key, case.unit_id, &case.about)
            .await?;
    Ok(HttpResponse::Created().json(OpenedCase { id: opened.value }))
}
