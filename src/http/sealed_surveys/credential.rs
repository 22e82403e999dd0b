use actix_web::{HttpRequest, http::header, post, web};
use qingfeng_ballots::Hex;
use qingfeng_core::{
    people::Actor,
    refusal::{Fault, Refusal},
    sealed_surveys::{
        BallotBoxId, LEVEL_WITHOUT_PAGES, SealedSurveyRefusal,
        entity::{ballot_boxes, sealed_surveys},
        service::{self, CredentialRequest, find_box, remember_devices},
    },
};
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Application,
    http::{
        authentication::SignedIn,
        input::Input,
        problem::{Answer, Problem},
    },
};

/// Two blinded messages, signed by the enrolled phone. All in lower-case hexadecimal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlindedCredential {
    /// The ballot key, blinded: 256 bytes.
    #[schema(value_type = String)]
    a: Hex<256>,
    /// The tag, blinded: 256 bytes.
    #[schema(value_type = String)]
    d: Hex<256>,
    /// Ed25519 over `"bbk1/req\0" || sid || SHA-256(a || d)`.
    #[schema(value_type = String)]
    signature: Hex<64>,
}

/// Both messages, signed blindly.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedCredential {
    #[schema(value_type = String)]
    sa: Hex<256>,
    #[schema(value_type = String)]
    sd: Hex<256>,
}

/// The platform's half of a credential, once per person. The same request again gets the same bytes.
#[utoipa::path(tag = "sealed surveys", security(("access_token" = [])), request_body = BlindedCredential,
    params(("sid" = String, Path)),
    responses(
        (status = 200, body = SignedCredential),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`wrong_device`, `level_too_low`, `paper_only`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "not on the roll"),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "`already_issued`, `votes_on_paper`, `not_enrolled`, `not_issuing`"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/sealed-surveys/boxes/{sid}/credential")]
pub(super) async fn credential(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<BallotBoxId>,
    request: HttpRequest,
    input: Input<BlindedCredential>,
) -> Answer<web::Json<SignedCredential>> {
    let BlindedCredential { a, d, signature } = input.value;
    let asked = CredentialRequest { a, d, signature };
    let row = find_box(&application.store, *path).await?;
    check_level(&application, &request, &row).await?;
    let issue = || service::issue(&application.store, &application.sealer, &person.actor, *path, asked.clone());
    let signed = match issue().await {
        Err(Fault::Refused(refusal)) if is_unknown_phone(&refusal) => {
            // Enrolled a moment ago: the co-signer knows.
            learn_phones(&application, &person.actor, &row).await?;
            issue().await?
        }
        answer => answer?,
    };
    Ok(web::Json(SignedCredential { sa: signed.sa, sd: signed.sd }))
}

/// The second wall behind the app's own: a page that this server has sent does not protect enough where level 2 is asked for,
/// and no page does where level 3 is.
async fn check_level(application: &Application, request: &HttpRequest, row: &ballot_boxes::Model) -> Result<(), Fault> {
    let Some(origin) = request.headers().get(header::ORIGIN) else { return Ok(()) };
    let own = url::Url::parse(&application.config.http.public_url).map(|url| url.origin().ascii_serialization());
    let is_own = own.is_ok_and(|own| origin.as_bytes() == own.as_bytes());
    let survey = sealed_surveys::Entity::find_by_id(row.survey_id).one(application.store.reader()).await?;
    let survey = survey.ok_or_else(Refusal::not_found)?;
    if survey.min_level >= LEVEL_WITHOUT_PAGES || (is_own && survey.min_level >= 2) {
        return Err(Fault::refused(SealedSurveyRefusal::LevelTooLow));
    }
    Ok(())
}

fn is_unknown_phone(refusal: &Refusal) -> bool {
    let unknown = [SealedSurveyRefusal::NotEnrolled, SealedSurveyRefusal::WrongDevice];
    unknown.into_iter().any(|unknown| Refusal::from(unknown).code == refusal.code)
}

/// Asks the co-signer for the village's roll. While it does not answer, the phone stays unknown.
async fn learn_phones(application: &Application, actor: &Actor, row: &ballot_boxes::Model) -> Result<(), Fault> {
    let Some(resident) = actor.resident() else { return Ok(()) };
    match application.quorum.client.roll(resident.village).await {
        Ok(enrolled) => remember_devices(&application.store, row.county_id, enrolled).await,
        Err(fault) => {
            tracing::warn!(error = %fault, "the co-signer's roll could not be read");
            Ok(())
        }
    }
}
