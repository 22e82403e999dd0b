use actix_web::{HttpResponse, post, web};
use chrono::NaiveDate;
use qingfeng_core::{
    complaints::SatisfactionLevel,
    ids::{EntryId, ExtensionId, FileId, OrganizationId, ProblemId, RectificationId, ResidentId, StaffId},
    rectification::{
        Pace, State,
        service::{self, Commitment, NewEvaluation, NewRectification, Progress},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    Application,
    http::{
        act::act,
        authentication::SignedIn,
        complaints::{ExtensionDecision, Nothing, RequestedExtension, county},
        input::Input,
        problem::{Answer, Problem},
    },
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(create)
        .service(publish)
        .service(progress)
        .service(report_done)
        .service(open_evaluation)
        .service(evaluate)
        .service(read_verdict)
        .service(township_evaluation)
        .service(close_out)
        .service(relapse)
        .service(request_extension)
        .service(decide_extension);
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RectificationDraft {
    village_id: OrganizationId,
    problem_ids: Vec<ProblemId>,
    title: String,
    goal: String,
    /// One to twenty.
    measures: Vec<String>,
    pace: Pace,
    due_on: NaiveDate,
    lead_unit_id: OrganizationId,
    #[serde(default)]
    joint_unit_ids: Vec<OrganizationId>,
    /// The unit's responsible person when none is named.
    #[serde(default)]
    responsible_id: Option<StaffId>,
    #[serde(default)]
    leader_id: Option<StaffId>,
    /// Residents who judge; none named: all of the village.
    #[serde(default)]
    affected: Vec<ResidentId>,
    /// Words that are on the village's roster and name nobody here.
    #[serde(default)]
    no_names: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedRectification {
    id: RectificationId,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicCommitment {
    commitment: String,
    #[serde(default)]
    before_photos: Vec<FileId>,
    /// Words that are on the village's roster and name nobody here.
    #[serde(default)]
    no_names: Vec<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgressReport {
    text: String,
    #[serde(default)]
    before_photos: Vec<FileId>,
    #[serde(default)]
    after_photos: Vec<FileId>,
    /// Measures that are finished now.
    #[serde(default)]
    finished_measure_ids: Vec<EntryId>,
    /// Words that are on the village's roster and name nobody here.
    #[serde(default)]
    no_names: Vec<String>,
}

impl From<ProgressReport> for Progress {
    fn from(report: ProgressReport) -> Self {
        Self {
            text: report.text,
            before_photos: report.before_photos,
            after_photos: report.after_photos,
            finished_measures: report.finished_measure_ids,
            no_names: report.no_names,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EvaluationWindow {
    /// Last day for answers, 3 to 30 days from today.
    closes_on: NaiveDate,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    level: SatisfactionLevel,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ReadVerdict {
    /// `evaluated` when the residents are content, `returned` when they are not.
    state: State,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TownshipEvaluation {
    passed: bool,
    opinion: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Relapse {
    findings: String,
    /// Words that are on the village's roster and name nobody here.
    #[serde(default)]
    no_names: Vec<String>,
}

/// A request for more time; its reason stands on the board when it is granted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicExtensionRequest {
    new_due_on: NaiveDate,
    /// At most 500 characters.
    reason: String,
    /// Words that are on the village's roster and name nobody here.
    #[serde(default)]
    no_names: Vec<String>,
}

/// Turn problems into a rectification item.
#[utoipa::path(tag = "rectifications", security(("access_token" = [])), request_body = RectificationDraft,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 201, body = CreatedRectification),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/rectifications")]
async fn create(
    application: web::Data<Application>,
    person: SignedIn,
    input: Input<RectificationDraft>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, "create_rectification")?;
    let draft = input.value;
    let new = NewRectification {
        village: draft.village_id,
        problems: draft.problem_ids,
        title: draft.title,
        goal: draft.goal,
        measures: draft.measures,
        pace: draft.pace,
        due_on: draft.due_on,
        lead_unit: draft.lead_unit_id,
        joint_units: draft.joint_unit_ids,
        responsible: draft.responsible_id,
        leader: draft.leader_id,
        affected: draft.affected,
        no_names: draft.no_names,
    };
    let created = service::create(&application.store, &command, new).await?;
    Ok(HttpResponse::Created().json(CreatedRectification { id: created.value }))
}

act!(
    /// Commit in public: the item goes up on the board and the village group is told.
    publish, "rectifications", RectificationId, "/rectifications/{id}/publication", PublicCommitment, "publish_rectification",
    |application, command, county, id, value| service::publish(
        &application.store, &command, county, id,
        Commitment { text: value.commitment, before_photos: value.before_photos, no_names: value.no_names },
    )
);
act!(
    /// Report progress, with photos.
    progress, "rectifications", RectificationId, "/rectifications/{id}/progress", ProgressReport, "rectification_progress",
    |application, command, county, id, value|
        service::progress(&application.store, &command, county, id, value.into())
);
act!(
    /// Say that it is done, with the unit's own evaluation.
    report_done, "rectifications", RectificationId, "/rectifications/{id}/completion", ProgressReport, "rectification_done",
    |application, command, county, id, value|
        service::report_done(&application.store, &command, county, id, value.into())
);
act!(
    /// Invite everybody affected to judge.
    open_evaluation, "rectifications", RectificationId, "/rectifications/{id}/evaluation", EvaluationWindow, "open_evaluation",
    |application, command, county, id, value|
        service::open_evaluation(&application.store, &command, county, id, value.closes_on)
);
act!(
    /// Record the township's evaluation of this round. It does not outweigh the residents.
    township_evaluation, "rectifications", RectificationId, "/rectifications/{id}/township-evaluation", TownshipEvaluation, "township_evaluation",
    |application, command, county, id, value| async {
        let calendar = application.calendar.of(county).await?;
        let (passed, opinion) = (value.passed, value.opinion);
        service::township_evaluation(&application.store, &calendar, &command, county, id, passed, &opinion).await
    }
);
act!(
    /// Close it out, if the residents' verdict allows it.
    close_out, "rectifications", RectificationId, "/rectifications/{id}/closure", Nothing, "close_out",
    |application, command, county, id, _value| service::close_out(&application.store, &command, county, id)
);
act!(
    /// Look-back found it broken again.
    relapse, "rectifications", RectificationId, "/rectifications/{id}/relapse", Relapse, "relapse",
    |application, command, county, id, value| async {
        let calendar = application.calendar.of(county).await?;
        let found = service::Relapse { findings: value.findings, no_names: value.no_names };
        service::relapse(&application.store, &calendar, &command, county, id, found).await
    }
);

/// Judge the round, once, as one of those whom it affects. Only two things are kept: that you took part, and that one
/// more answered so; nothing connects them.
#[utoipa::path(tag = "rectifications", security(("access_token" = [])), request_body = Evaluation, responses(
    (status = 204),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`already_evaluated`, `wrong_state`"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[post("/rectifications/{id}/evaluations")]
async fn evaluate(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<RectificationId>,
    input: Input<Evaluation>,
) -> Answer<HttpResponse> {
    let answer = NewEvaluation { level: input.value.level };
    service::evaluate(&application.store, &person.actor, *path, answer).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Read the verdict when the days for answering are over. Not content: back to work.
#[utoipa::path(tag = "rectifications", security(("access_token" = [])), request_body = Nothing,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 200, body = ReadVerdict),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`voting_goes_on`, `quorum_not_reached`"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/rectifications/{id}/verdict")]
async fn read_verdict(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<RectificationId>,
    input: Input<Nothing>,
) -> Answer<web::Json<ReadVerdict>> {
    let command = input.command(&person.actor, &format!("read_verdict:{path}"))?;
    let county = county(&person.actor)?;
    let calendar = application.calendar.of(county).await?;
    let read = service::read_verdict(&application.store, &calendar, &command, county, *path).await?;
    Ok(web::Json(ReadVerdict { state: read.value }))
}

/// Ask for more time.
#[utoipa::path(tag = "rectifications", security(("access_token" = [])), request_body = PublicExtensionRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 201, body = RequestedExtension),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/rectifications/{id}/extensions")]
async fn request_extension(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<RectificationId>,
    input: Input<PublicExtensionRequest>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, &format!("extend_rectification:{path}"))?;
    let county = county(&person.actor)?;
    let PublicExtensionRequest { new_due_on, reason, no_names } = input.value;
    let requested =
        service::request_extension(&application.store, &command, county, *path, new_due_on, &reason, no_names).await?;
    Ok(HttpResponse::Created().json(RequestedExtension { id: requested.value }))
}

/// Decide on a request for more time; not on one's own.
#[utoipa::path(tag = "rectifications", security(("access_token" = [])), request_body = ExtensionDecision,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 204),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/rectifications/extensions/{id}/decision")]
async fn decide_extension(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<ExtensionId>,
    input: Input<ExtensionDecision>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, &format!("decide_extension:{path}"))?;
    let county = county(&person.actor)?;
    let ExtensionDecision { decision, reason } = &input.value;
    service::decide_extension(&application.store, &command, county, *path, (*decision).into(), reason).await?;
    Ok(HttpResponse::NoContent().finish())
}
