use actix_web::{HttpResponse, get, post, web};
use qingfeng_ballots::{Hex, voter::UnusedSlip};
use qingfeng_core::{
    ids::ResidentId,
    people::authorization::{Action, may},
    refusal::{Fault, Refusal, RefusalKind},
    sealed_surveys::{
        BallotBoxId, SealedSurveyRefusal, queries,
        service::{self, SlipReport, find_box, subject_of},
    },
    storage::Command,
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
    sealed_surveys::advance,
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
    params(("sid" = String, Path)),
    responses(
        (status = 204),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "not on the roll"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`no_paper`, `issued_electronically`, `sealed_survey_state`, `cosigner_refuses`"),
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
    // May be sent twice without a key: a kept key would say of whom, and to the instant.
    let command = Command::by(&person.actor);
    let resident = input.value.resident_id;
    service::check_may_register(&application.store, &person.actor, *path, resident).await?;
    // Both refuse from here on, or neither: ours is written first and stays if the other does not answer, so that no phone gets
    // in between; the slip is handed over only when this answers.
    service::register_paper(&application.store, &command, *path, resident).await?;
    match application.quorum.client.register_paper(*path, resident).await {
        Ok(()) => Ok(HttpResponse::NoContent().finish()),
        Err(CosignerFault::Refused { code, .. }) => {
            service::unregister_paper(&application.store, *path, resident).await?;
            if code == "already_issued" {
                return Err(Fault::refused(SealedSurveyRefusal::IssuedElectronically).into());
            }
            let sentence = "共签方的名册上不能登记这位村民，请先核对名册，不要发纸票。";
            Err(Refusal::new(RefusalKind::Conflict, "cosigner_refuses", sentence).into())
        }
        Err(fault) => Err(Fault::unavailable(fault).into()),
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SlipAccountDraft {
    printed: u32,
    drawn: u32,
    returned: u32,
    spoiled: u32,
    /// The slips that lie in the bag. May be left out where nobody drew any: then it is all of them.
    #[serde(default)]
    unused: Vec<UnusedSlipDraft>,
}

/// A slip that nobody drew: both of its keys, in hexadecimal, and that both say so. Never its code: a code is a vote.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnusedSlipDraft {
    #[schema(value_type = String)]
    pk: Hex<32>,
    #[schema(value_type = String)]
    tag: Hex<32>,
    /// Ed25519 of the ballot key over `"bbk1/unused\0" || sid || pk || tag`.
    #[schema(value_type = String)]
    pk_signature: Hex<64>,
    /// The same of the tag's key.
    #[schema(value_type = String)]
    tag_signature: Hex<64>,
}

impl From<UnusedSlipDraft> for UnusedSlip {
    fn from(UnusedSlipDraft { pk, tag, pk_signature, tag_signature }: UnusedSlipDraft) -> Self {
        Self { pk, tag, pk_signature, tag_signature }
    }
}

/// Account for the paper slips when the box is shut; nothing is counted before. More used, returned or drawn than there may be voids the
/// whole batch.
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
    let unused = unused.into_iter().map(UnusedSlip::from).collect();
    let report = SlipReport { printed, drawn, returned, spoiled, unused };
    service::settle_slips(&application.store, &command, *path, report).await?;
    // What is accounted for can be counted.
    advance(&application, *path).await?;
    Ok(HttpResponse::NoContent().finish())
}
