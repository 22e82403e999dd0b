//! Who is asking: turns the `Authorization` header into an [`Actor`].

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web};
use futures::{FutureExt as _, future::LocalBoxFuture};
use qingfeng_core::{
    clock::shanghai_date,
    ids::{ResidentId, SessionId, StaffId},
    people::{
        self, Actor, PersonKind, SignInRefusal,
        sessions::{self, Person},
    },
    refusal::{Fault, Refusal, RefusalKind},
};

use super::{access_token::Bearer, problem::HttpFault};
use crate::Application;

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub actor: Actor,
    pub session: SessionId,
}

/// Whose token is good and whose session goes on. Whether this person is still on a roster or in service is not looked up
/// yet: for handlers that see it together with what else they read.
#[derive(Clone, Copy, Debug)]
pub struct Claimed(pub Person);

/// Somebody who may be signed in; [`Actor::Visitor`] when no token came. A bad token is refused, not ignored.
#[derive(Clone, Debug)]
pub struct Anyone(pub Actor);

impl FromRequest for SignedIn {
    type Error = HttpFault;
    type Future = LocalBoxFuture<'static, Result<Self, HttpFault>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let token = bearer_token(request);
        let application = application(request);
        async move { Ok(identify(&application, &token.ok_or_else(sign_in_needed)?).await?) }.boxed_local()
    }
}

impl FromRequest for Claimed {
    type Error = HttpFault;
    type Future = LocalBoxFuture<'static, Result<Self, HttpFault>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let token = bearer_token(request);
        let application = application(request);
        async move { Ok(Self(bearer(&application, &token.ok_or_else(sign_in_needed)?).await?.person)) }.boxed_local()
    }
}

fn sign_in_needed() -> Refusal {
    Refusal::new(RefusalKind::Unauthenticated, "sign_in_needed", "请先登录。")
}

impl FromRequest for Anyone {
    type Error = HttpFault;
    type Future = LocalBoxFuture<'static, Result<Self, HttpFault>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let token = bearer_token(request);
        let application = application(request);
        async move {
            Ok(match token {
                None => Self(Actor::Visitor),
                Some(token) => Self(identify(&application, &token).await?.actor),
            })
        }
        .boxed_local()
    }
}

fn application(request: &HttpRequest) -> web::Data<Application> {
    request.app_data::<web::Data<Application>>().cloned().expect("the server is built with its application")
}

fn bearer_token(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(header::AUTHORIZATION)?;
    // Anything that is there but no bearer token is treated as a bad token.
    Some(value.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default().to_owned())
}

async fn identify(application: &Application, token: &str) -> Result<SignedIn, Fault> {
    let bearer = bearer(application, token).await?;
    Ok(SignedIn { actor: look_up(application, bearer.person).await?, session: bearer.session })
}

fn session_over() -> Fault {
    Fault::refused(SignInRefusal::SessionOver)
}

async fn bearer(application: &Application, token: &str) -> Result<Bearer, Fault> {
    let bearer = application.access_tokens.check(token).ok_or_else(session_over)?;
    if sessions::is_ended(&*application.cache, bearer.session).await? {
        return Err(session_over());
    }
    Ok(bearer)
}

/// The person with their posts.
///
/// # Errors
/// When they were removed from the roster or left the service: the next request already fails.
pub(super) async fn look_up(application: &Application, person: Person) -> Result<Actor, Fault> {
    let store = &application.store;
    let actor = match person.kind {
        PersonKind::Staff => {
            let today = shanghai_date(store.clock().now());
            people::load_staff(store, StaffId(person.id), today).await?.map(Actor::Staff)
        }
        PersonKind::Resident => people::load_resident(store, ResidentId(person.id)).await?.map(Actor::Resident),
    };
    actor.ok_or_else(session_over)
}
