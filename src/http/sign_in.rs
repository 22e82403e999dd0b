//! Signing in and out.

use actix_web::{HttpResponse, post, web};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use qingfeng_core::{
    people::{
        PersonKind, SignInRefusal,
        account_links::{self, AccountIdentity},
        sessions::{self, ACCESS_LASTS, Person},
        sign_in::{self, FormerMember},
    },
    refusal::{Fault, Refusal, RefusalKind},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    authentication::SignedIn,
    input::Input,
    origin::{count_no_more, is_one_too_many},
    problem::{Answer, Problem},
};
use crate::{Application, wechat_login::MiniProgramIdentity, wecom_binding};

/// How long somebody has to type the invitation code after opening the mini-program.
const TICKET_LASTS: Duration = Duration::from_secs(10 * 60);
/// What the identity behind a ticket is sealed as: the cache knows nobody.
const BINDING: &str = "identity to be bound";
/// Invitation codes from one place that are none, so that codes cannot be guessed. Those that are good do not count: a village
/// may share an address, and is invited on one evening.
const GUESSES: u32 = 10;
const GUESSES_WINDOW: Duration = Duration::from_secs(10 * 60);
/// As what they are counted.
const INVITATION: &str = "invitation";

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(with_mini_program).service(with_invitation).service(as_staff).service(refresh).service(sign_out);
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MiniProgramSignIn {
    /// What `wx.login` gave.
    code: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationSignIn {
    /// The code printed on the invitation.
    invitation_code: String,
    /// From the mini-program sign-in, to bind this WeChat; without it only this browser is signed in, and the code binds a phone
    /// within 30 days.
    #[serde(default)]
    ticket: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StaffSignIn {
    login: String,
    password: String,
    /// Six digits from the authenticator.
    code: String,
    /// To bind a member of the corporation to the account.
    #[serde(default)]
    wecom: Option<WeComBinding>,
}

/// What the browser that came back from WeCom has to show.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WeComBinding {
    /// From the sign-in through WeCom.
    ticket: String,
    /// From the departure to WeCom: nobody else's ticket binds anything here.
    proof: String,
    /// The member takes the place of another one that the account has.
    #[serde(default)]
    replace: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    refresh_token: String,
}

/// A session's tokens.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tokens {
    access_token: String,
    /// Seconds.
    expires_in: u64,
    /// Good for one use.
    refresh_token: String,
    person_kind: PersonKind,
}

/// Either tokens, or — for a WeChat that belongs to nobody on a roster yet — a ticket for binding it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum MiniProgramAnswer {
    SignedIn(Tokens),
    BindingNeeded { ticket: String },
}

fn tokens(application: &Application, session: sessions::Session) -> Result<Tokens, Fault> {
    let access_token = application.access_tokens.issue(session.person, session.id).map_err(Fault::unavailable)?;
    Ok(Tokens {
        access_token,
        expires_in: ACCESS_LASTS.as_secs(),
        refresh_token: session.refresh_token,
        person_kind: session.person.kind,
    })
}

pub(super) async fn begin(application: &Application, person: Person) -> Result<Tokens, Fault> {
    tokens(application, sessions::start(&application.store, person).await?)
}

/// Sign in with the mini-program's login code.
#[utoipa::path(tag = "sign-in", request_body = MiniProgramSignIn, responses(
    (status = 200, body = MiniProgramAnswer),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`code_invalid`"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[post("/sign-in/mini-program")]
async fn with_mini_program(
    application: web::Data<Application>,
    input: Input<MiniProgramSignIn>,
) -> Answer<web::Json<MiniProgramAnswer>> {
    let identity = application.wechat_login.identity(&input.value.code).await?;
    if let Some(person) = sign_in::resident_of(&application.store, &identity.open_id).await? {
        remember_union(&application, person, identity).await?;
        return Ok(web::Json(MiniProgramAnswer::SignedIn(begin(&application, person).await?)));
    }
    let ticket = URL_SAFE_NO_PAD.encode(application.store.randomness().bytes::<24>());
    let identity = serde_json::to_vec(&identity).map_err(Fault::unavailable)?;
    let sealed = application.sealer.seal(BINDING, &identity, application.store.randomness());
    application.cache.set(&format!("binding:{ticket}"), &sealed, TICKET_LASTS).await?;
    Ok(web::Json(MiniProgramAnswer::BindingNeeded { ticket }))
}

/// By the union id the official account knows the same person without being told.
async fn remember_union(application: &Application, person: Person, known: MiniProgramIdentity) -> Result<(), Fault> {
    let Some(union_id) = known.union_id else { return Ok(()) };
    let identity = AccountIdentity { app_id: application.config.wechat.app_id.clone(), open_id: known.open_id };
    account_links::remember_union(&application.store, person, identity, union_id).await
}

/// Sign in with a printed invitation; binds the WeChat when the ticket is given.
#[utoipa::path(tag = "sign-in", request_body = InvitationSignIn, responses(
    (status = 200, body = Tokens),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`invitation_invalid`, `ticket_expired`"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`phone_taken`"),
    (status = 429, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[post("/sign-in/invitation")]
async fn with_invitation(
    application: web::Data<Application>,
    request: actix_web::HttpRequest,
    input: Input<InvitationSignIn>,
) -> Answer<web::Json<Tokens>> {
    let identity: Option<MiniProgramIdentity> = match &input.value.ticket {
        None => None,
        Some(ticket) => {
            let sealed = application.cache.get(&format!("binding:{ticket}")).await?;
            let sealed = sealed.ok_or_else(|| Fault::refused(SignInRefusal::TicketExpired))?;
            let identity = application.sealer.open(BINDING, &sealed);
            let identity = identity.map_err(|_| Fault::refused(SignInRefusal::TicketExpired))?;
            Some(serde_json::from_slice(&identity).map_err(Fault::unavailable)?)
        }
    };
    let open_id = identity.as_ref().map(|identity| identity.open_id.clone());
    // Counted before it is looked at: of many guesses at the same moment no more are looked at than of many in turn.
    if is_one_too_many(&application, &request, INVITATION, (GUESSES, GUESSES_WINDOW)).await? {
        return Err(Fault::refused(SignInRefusal::TooManyAttempts).into());
    }
    let person =
        sign_in::accept_invitation(&application.store, &application.paper_codes, &input.value.invitation_code, open_id)
            .await?;
    count_no_more(&application, &request, INVITATION).await;
    if let Some(identity) = identity {
        remember_union(&application, person, identity).await?;
    }
    Ok(web::Json(begin(&application, person).await?))
}

/// Sign in as staff with password and authenticator code.
#[utoipa::path(tag = "sign-in", request_body = StaffSignIn, responses(
    (status = 200, body = Tokens),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`wrong_credentials`, `ticket_expired`"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`wecom_taken`, `other_wecom_bound`"),
    (status = 429, body = Problem, content_type = "application/problem+json", description = "`too_many_attempts`"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[post("/sign-in/staff")]
async fn as_staff(application: web::Data<Application>, input: Input<StaffSignIn>) -> Answer<web::Json<Tokens>> {
    let StaffSignIn { login, password, code, wecom } = &input.value;
    let (store, cache, sealer) = (&application.store, &*application.cache, &application.sealer);
    // A ticket that is over costs neither an attempt nor the code of the authenticator.
    let member = match wecom {
        None => None,
        Some(WeComBinding { ticket, proof, .. }) => Some(wecom_binding::member(cache, sealer, ticket, proof).await?),
    };
    let person = sign_in::staff(store, cache, sealer, login, password, code).await?;
    if let (Some(WeComBinding { ticket, proof, replace }), Some(user_id)) = (wecom, member) {
        let former = if *replace { FormerMember::GivesWay } else { FormerMember::Stays };
        sign_in::bind_wecom(store, person, &user_id, former).await?;
        wecom_binding::spend(cache, ticket, proof).await?;
    }
    Ok(web::Json(begin(&application, person).await?))
}

/// Exchange the refresh token for new tokens.
#[utoipa::path(tag = "sign-in", request_body = Refresh, responses(
    (status = 200, body = Tokens),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`session_over`"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[post("/sign-in/refresh")]
async fn refresh(application: web::Data<Application>, input: Input<Refresh>) -> Answer<web::Json<Tokens>> {
    let token = &input.value.refresh_token;
    if token.len() > 100 {
        return Err(Refusal::new(RefusalKind::Unauthenticated, "session_over", "登录已失效，请重新登录。").into());
    }
    let session = sessions::refresh(&application.store, &*application.cache, token).await?;
    Ok(web::Json(tokens(&application, session)?))
}

/// End the session on this phone.
#[utoipa::path(tag = "sign-in", security(("access_token" = [])), responses(
    (status = 204),
    (status = 401, body = Problem, content_type = "application/problem+json"),
))]
#[post("/sign-out")]
async fn sign_out(application: web::Data<Application>, person: SignedIn) -> Answer<HttpResponse> {
    sessions::end(&application.store, &*application.cache, person.session).await?;
    Ok(HttpResponse::NoContent().finish())
}
