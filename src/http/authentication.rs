//! Who is asking: turns the `Authorization` header into an [`Actor`].

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web};
use futures::{FutureExt as _, future::LocalBoxFuture};
use qingfeng_core::{
    clock::shanghai_date,
    ids::{ResidentId, SessionId, StaffId},
    people::{self, Actor, PersonKind, SignInRefusal, sessions},
    refusal::{Fault, Refusal, RefusalKind},
};

use super::problem::HttpFault;
use crate::Application;

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub actor: Actor,
    pub session: SessionId,
}

/// Somebody who may be signed in; [`Actor::Visitor`] when no token came. A bad token is refused, not ignored.
#[derive(Clone, Debug)]
pub struct Anyone(pub Actor);

impl FromRequest for SignedIn {
    type Error = HttpFault;
    type Future = LocalBoxFuture<'static, Result<Self, HttpFault>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let token = bearer_token(request);
        let application = application(request);
        async move {
            let token =
                token.ok_or_else(|| Refusal::new(RefusalKind::Unauthenticated, "sign_in_needed", "请先登录。"))?;
            Ok(identify(&application, &token).await?)
        }
        .boxed_local()
    }
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
    let over = || Fault::refused(SignInRefusal::SessionOver);
    let bearer = application.access_tokens.check(token).ok_or_else(over)?;
    if sessions::is_ended(&*application.cache, bearer.session).await? {
        return Err(over());
    }
    let store = &application.store;
    let actor = match bearer.person.kind {
        PersonKind::Staff => {
            let today = shanghai_date(store.clock().now());
            people::load_staff(store, StaffId(bearer.person.id), today).await?.map(Actor::Staff)
        }
        PersonKind::Resident => people::load_resident(store, ResidentId(bearer.person.id)).await?.map(Actor::Resident),
    };
    // Removed from the roster, left the service: the next request already fails.
    actor.map(|actor| SignedIn { actor, session: bearer.session }).ok_or_else(over)
}
