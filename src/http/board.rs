//! The public board: readable without login, fast on a weak network.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{self, EntityTag, Header as _, IfNoneMatch},
    web,
};
use moka::future::Cache;
use qingfeng_core::{
    clock::shanghai_date,
    ids::OrganizationId,
    publication::{self, TOWNSHIPS_PAGE, TownshipLine, VillageBoard, VillageLine},
    refusal::Fault,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::problem::{Answer, Problem};
use crate::Application;

const MOST_PAGES: u64 = 10_000;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(village).service(township).service(townships);
}

/// What a page is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Sheet {
    Village(OrganizationId),
    Township(OrganizationId),
    /// The list of townships after this one.
    Townships(Option<OrganizationId>),
}

/// Pages as they go over the wire.
#[derive(Clone)]
pub struct BoardPages {
    pages: Cache<Sheet, Arc<Page>>,
    cache_control: String,
}

struct Page {
    body: web::Bytes,
    /// Weak: the same page goes out compressed in several ways.
    etag: EntityTag,
}

impl BoardPages {
    #[must_use]
    pub fn fresh_for(time: Duration) -> Self {
        Self {
            pages: Cache::builder().max_capacity(MOST_PAGES).time_to_live(time).build(),
            cache_control: format!("public, max-age={}", time.as_secs()),
        }
    }
}

impl Page {
    fn of(value: &impl Serialize) -> Result<Arc<Self>, Fault> {
        let body = serde_json::to_vec(value).map_err(Fault::unavailable)?;
        let etag = EntityTag::new_weak(hex::encode(&Sha256::digest(&body)[..16]));
        Ok(Arc::new(Self { body: body.into(), etag }))
    }

    fn answer(&self, request: &HttpRequest, cache_control: &str) -> HttpResponse {
        let known = match IfNoneMatch::parse(request) {
            Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|tag| tag.weak_eq(&self.etag)),
            Ok(IfNoneMatch::Any) => request.headers().contains_key(header::IF_NONE_MATCH),
            Err(_) => false,
        };
        let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        answer.insert_header(header::ETag(self.etag.clone())).insert_header((header::CACHE_CONTROL, cache_control));
        if known {
            return answer.finish();
        }
        answer.content_type("application/json").body(self.body.clone())
    }
}

/// What a villages' list shows.
#[derive(Debug, Serialize, ToSchema)]
pub struct TownshipBoard {
    villages: Vec<VillageLine>,
}

/// The townships of this installation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Townships {
    items: Vec<TownshipLine>,
    /// Where the next page begins.
    next: Option<OrganizationId>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TownshipsAfter {
    /// `next` of the page before.
    after: Option<OrganizationId>,
}

/// What was shared between requests that waited for the same page.
fn unshare(fault: Arc<Fault>) -> Fault {
    match &*fault {
        Fault::Refused(refusal) => Fault::Refused(refusal.clone()),
        Fault::Overtaken => Fault::Overtaken,
        Fault::Unavailable(cause) => Fault::Unavailable(cause.clone()),
    }
}

/// A village's public page: items in progress, promises, deadlines and their changes, before and after, how people judge.
#[utoipa::path(tag = "board", responses(
    (status = 200, body = VillageBoard),
    (status = 304),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
#[get("/board/villages/{id}")]
async fn village(
    application: web::Data<Application>,
    request: HttpRequest,
    id: web::Path<OrganizationId>,
) -> Answer<HttpResponse> {
    let store = &application.store;
    let page = application
        .board
        .pages
        .try_get_with(Sheet::Village(*id), async {
            let today = shanghai_date(store.clock().now());
            Page::of(&publication::village_board(store.reader(), *id, today).await?)
        })
        .await
        .map_err(unshare)?;
    Ok(page.answer(&request, &application.board.cache_control))
}

/// The villages of a township with their numbers of items.
#[utoipa::path(tag = "board", responses(
    (status = 200, body = TownshipBoard),
    (status = 304),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
#[get("/board/townships/{id}")]
async fn township(
    application: web::Data<Application>,
    request: HttpRequest,
    id: web::Path<OrganizationId>,
) -> Answer<HttpResponse> {
    let store = &application.store;
    let page = application
        .board
        .pages
        .try_get_with(Sheet::Township(*id), async {
            let today = shanghai_date(store.clock().now());
            let villages = publication::township_board(store.reader(), *id, today).await?;
            Page::of(&TownshipBoard { villages })
        })
        .await
        .map_err(unshare)?;
    Ok(page.answer(&request, &application.board.cache_control))
}

/// The townships whose villages publish here: where somebody without an account begins.
#[utoipa::path(tag = "board", params(TownshipsAfter), responses(
    (status = 200, body = Townships),
    (status = 304),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[get("/board/townships")]
async fn townships(
    application: web::Data<Application>,
    request: HttpRequest,
    query: web::Query<TownshipsAfter>,
) -> Answer<HttpResponse> {
    let page = application
        .board
        .pages
        .try_get_with(Sheet::Townships(query.after), async {
            let items = publication::townships(application.store.reader(), query.after).await?;
            let next = items.last().filter(|_| items.len() as u64 == TOWNSHIPS_PAGE).map(|last| last.id);
            Page::of(&Townships { items, next })
        })
        .await
        .map_err(unshare)?;
    Ok(page.answer(&request, &application.board.cache_control))
}
