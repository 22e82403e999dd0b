use actix_web::{HttpResponse, get, post, web};
use qingfeng_ballots::Hex;
use qingfeng_core::{
    ids::ResidentId,
    people::authorization::{Action, may},
    refusal::{Fault, Refusal, RefusalKind},
    sealed_surveys::{
        BallotBoxId, SealedSurveyRefusal, queries,
        service::{self, SlipAccount, find_box, subject_of},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Application,
    cosigner::CosignerFault,
    http::{
        authentication::SignedIn,
        input::Input,
        problem::{Answer, Problem},
    },
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sought {
    name: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct FoundOnRoll {
    items: Vec<OnRoll>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct OnRoll {
    resident_id: ResidentId,
    name: String,
    village_name: String,
}

/// Find somebody on the roll by her whole name, for the register. There is no list without a name.
#[utoipa::path(tag = "sealed surveys", security(("access_token" = [])),
    params(("sid" = String, Path), ("name" = String, Query, description = "the whole name")),
    responses(
        (status = 200, body = FoundOnRoll),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[get("/sealed-surveys/boxes/{sid}/register")]
pub(super) async fn find_on_roll(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<BallotBoxId>,
    query: web::Query<Sought>,
) -> Answer<web::Json<FoundOnRoll>> {
    let row = find_box(&application.store, *path).await?;
    may(&person.actor, Action::ManageSealedSurvey, &subject_of(&row))?;
    let found = queries::on_roll_by_name(&application.store, &row, query.name.trim()).await?;
    let item = |(resident_id, name, village_name)| OnRoll { resident_id, name, village_name };
    Ok(web::Json(FoundOnRoll { items: found.into_iter().map(item).collect() }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaperRegistration {
    resident_id: ResidentId,
}

/// Write into the register that somebody draws a slip, before she draws. Then no phone of hers gets a credential.
#[utoipa::path(tag = "sealed surveys", security(("access_token" = [])), request_body = PaperRegistration,
    params(("sid" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 204),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "not on the roll"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`issued_electronically`, `sealed_survey_state`, `cosigner_refuses`"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "the co-signer does not answer: no slip yet"),
    ))]
#[post("/sealed-surveys/boxes/{sid}/register")]
pub(super) async fn register(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<BallotBoxId>,
    input: Input<PaperRegistration>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, &format!("register_paper:{}", *path))?;
    let resident = input.value.resident_id;
    service::check_may_register(&application.store, &person.actor, *path, resident).await?;
    // Both refuse from here on, or neither: ours is written first and stays if the other does not answer, so that no phone gets
    // in between; the slip is handed over only when this answers.
    service::register_paper(&application.store, &command, *path, resident).await?;
    application.quorum.client.register_paper(*path, resident).await.map_err(|fault| match fault {
        CosignerFault::Refused { code, .. } if code == "already_issued" => {
            Fault::refused(SealedSurveyRefusal::IssuedElectronically)
        }
        CosignerFault::Refused { .. } => {
            let sentence = "共签方的名册上不能登记这位村民，请先核对名册，不要发纸票。";
            Refusal::new(RefusalKind::Conflict, "cosigner_refuses", sentence).into()
        }
        fault => Fault::unavailable(fault),
    })?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SlipAccountDraft {
    printed: u32,
    drawn: u32,
    returned: u32,
    spoiled: u32,
    /// Ballot keys of the slips that were left in the bag, in hexadecimal. Never their codes: a code is a vote.
    #[schema(value_type = Vec<String>)]
    unused: Vec<Hex<32>>,
}

/// Account for the paper slips before the count. More returned than drawn voids the whole batch.
#[utoipa::path(tag = "sealed surveys", security(("access_token" = [])), request_body = SlipAccountDraft,
    params(("sid" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 204),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`wrong_slips`, `sealed_survey_state`"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/sealed-surveys/boxes/{sid}/slip-account")]
pub(super) async fn settle(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<BallotBoxId>,
    input: Input<SlipAccountDraft>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, &format!("settle_slips:{}", *path))?;
    let SlipAccountDraft { printed, drawn, returned, spoiled, unused } = input.value;
    let account = SlipAccount { printed, drawn, returned, spoiled, voided: Vec::new(), batch_void: false };
    service::settle_slips(&application.store, &command, *path, account, unused).await?;
    Ok(HttpResponse::NoContent().finish())
}
