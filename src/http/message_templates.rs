//! The words of messages: the usual ones, and a township's own, which a second person releases.

use actix_web::{HttpResponse, get, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use qingfeng_bot::messages::{self, Kind, View};
use qingfeng_core::{
    clock::shanghai_date,
    ids::{MessageTemplateId, OrganizationId},
    outbox::{
        RecipientKind,
        templates::{self, PAGE, TemplateState, Verdict, Version},
    },
    people::authorization::Action,
    refusal::Refusal,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    act::act,
    authentication::SignedIn,
    complaints::{Nothing, county},
    group_posts::ReviewFinding,
    input::Input,
    problem::{Answer, Problem},
};
use crate::Application;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(history).service(preview).service(propose).service(release).service(reject);
}

/// Something that a text may tell, written `{{ name }}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateFact {
    name: &'static str,
    meaning: &'static str,
    /// No text of the kind may be without it.
    must_tell: bool,
    /// Of a list: what each entry tells, written `{{ entry.name }}`.
    entries: Vec<&'static str>,
}

/// A version of a township's own words.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateVersion {
    id: MessageTemplateId,
    version: i32,
    /// None = the usual words again.
    text: Option<String>,
    state: TemplateState,
    /// Name of whoever proposed it.
    proposed_by: String,
    proposed_at: DateTime<Utc>,
    decided_at: Option<DateTime<Utc>>,
    /// Why it was rejected.
    reason: Option<String>,
    /// Why it did not hold a message, which then went out in the usual words.
    failure: Option<String>,
    failed_at: Option<DateTime<Utc>>,
    /// What the second person should look at.
    findings: Vec<ReviewFinding>,
}

impl TemplateVersion {
    fn of(Version { template, proposed_by }: Version, today: NaiveDate) -> Self {
        let findings = match (messages::kind(&template.kind), template.text.as_deref()) {
            (Some(kind), Some(text)) => messages::findings(kind, text, today),
            _ => Vec::new(),
        };
        Self {
            id: template.id,
            version: template.version,
            text: template.text,
            state: template.state,
            proposed_by,
            proposed_at: template.proposed_at,
            decided_at: template.decided_at,
            reason: template.reason,
            failure: template.failure,
            failed_at: template.failed_at,
            findings: findings.into_iter().map(ReviewFinding::from).collect(),
        }
    }
}

/// A kind of message.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageKind {
    /// Recipient and kind, e.g. `staff.deadline_ahead`.
    kind: String,
    recipient_kind: RecipientKind,
    /// When it is sent.
    meaning: &'static str,
    /// Why its words cannot be changed; none where they can.
    fixed: Option<&'static str>,
    facts: Vec<TemplateFact>,
    /// Words that no text of the kind may be without.
    must_say: Option<&'static str>,
    /// The usual words.
    usual: &'static str,
    /// What is in force, if not the usual words.
    own: Option<TemplateVersion>,
    /// What a second person has to release.
    waiting: Option<TemplateVersion>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct MessageKinds {
    items: Vec<MessageKind>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct HistoryQuery {
    /// The last version of the page before.
    before: Option<i32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct MessageTemplateHistory {
    items: Vec<TemplateVersion>,
    next: Option<i32>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateText {
    /// None = the usual words again.
    text: Option<String>,
}

/// Which facts fill a preview.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PreviewFacts {
    #[default]
    Sample,
    /// Those of the latest message of the kind that the reader may see.
    Latest,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    /// None = what is in force.
    text: Option<String>,
    #[serde(default)]
    #[schema(required = false)]
    facts: PreviewFacts,
}

/// A message as it would go out.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessagePreview {
    /// When the message was written whose facts these are; none for made-up ones.
    facts_of: Option<DateTime<Utc>>,
    words: String,
    views: Vec<View>,
    /// What in the template's own words should be looked at.
    findings: Vec<ReviewFinding>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct MessageTemplateProposed {
    id: MessageTemplateId,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateReason {
    reason: String,
}

fn kind_of(key: &str) -> Result<&'static Kind, Refusal> {
    messages::kind(key).ok_or_else(Refusal::not_found)
}

/// All kinds of messages with their usual words and the township's own.
#[utoipa::path(tag = "message templates", security(("access_token" = [])), responses(
    (status = 200, body = MessageKinds),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
#[get("/townships/{id}/message-templates")]
async fn list(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<OrganizationId>,
) -> Answer<web::Json<MessageKinds>> {
    let mut versions = templates::list(&application.store, &person.actor, *path).await?;
    let today = shanghai_date(application.store.clock().now());
    let mut take = |kind: &str, state: TemplateState| {
        let place = versions.iter().position(|one| one.template.kind == kind && one.template.state == state)?;
        Some(TemplateVersion::of(versions.swap_remove(place), today))
    };
    let item = |kind: &'static Kind| {
        let key = kind.key();
        MessageKind {
            recipient_kind: kind.recipient,
            meaning: kind.meaning(),
            fixed: kind.fixed(),
            facts: kind
                .facts()
                .map(|fact| TemplateFact {
                    name: fact.name,
                    meaning: fact.meaning,
                    must_tell: kind.must_tell().iter().any(|name| name == fact.name),
                    entries: fact.entries().iter().map(|entry| entry.name).collect(),
                })
                .collect(),
            must_say: kind.must_say(),
            usual: kind.text(),
            own: take(&key, TemplateState::Released).filter(|own| own.text.is_some()),
            waiting: take(&key, TemplateState::Proposed),
            kind: key,
        }
    };
    Ok(web::Json(MessageKinds { items: messages::kinds().iter().map(item).collect() }))
}

/// All versions of a kind's words in a township, latest first.
#[utoipa::path(tag = "message templates", security(("access_token" = [])), params(("id" = OrganizationId, Path), ("kind" = String, Path, description = "e.g. `staff.deadline_ahead`"), HistoryQuery),
    responses(
    (status = 200, body = MessageTemplateHistory),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[get("/townships/{id}/message-templates/{kind}")]
async fn history(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<(OrganizationId, String)>,
    query: web::Query<HistoryQuery>,
) -> Answer<web::Json<MessageTemplateHistory>> {
    let (township, kind) = path.into_inner();
    let versions = templates::history(&application.store, &person.actor, township, &kind, query.before).await?;
    let next = if versions.len() as u64 == PAGE { versions.last().map(|one| one.template.version) } else { None };
    let today = shanghai_date(application.store.clock().now());
    let items = versions.into_iter().map(|version| TemplateVersion::of(version, today)).collect();
    Ok(web::Json(MessageTemplateHistory { items, next }))
}

/// Show a message with these words, or with those in force, as each platform would.
#[utoipa::path(tag = "message templates", security(("access_token" = [])), request_body = PreviewRequest,
    params(("id" = OrganizationId, Path), ("kind" = String, Path)),
    responses(
    (status = 200, body = MessagePreview),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "where the words are wrong"),
))]
#[post("/townships/{id}/message-templates/{kind}/preview")]
async fn preview(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<(OrganizationId, String)>,
    input: Input<PreviewRequest>,
) -> Answer<web::Json<MessagePreview>> {
    let store = &application.store;
    let (id, kind) = path.into_inner();
    let township = templates::township(store.reader(), &person.actor, Action::ViewMessageTemplates, id).await?;
    let kind = kind_of(&kind)?;
    let today = shanghai_date(store.clock().now());
    let own = match input.value.text {
        Some(text) => {
            let names = templates::names(store.reader(), township.county_id, id).await?;
            Some(messages::checked(kind, &text, &names, today)?)
        }
        None => templates::own(store.reader(), id, &kind.key()).await?,
    };
    let text = own.as_deref().unwrap_or(kind.text());
    let latest = match input.value.facts {
        PreviewFacts::Sample => None,
        PreviewFacts::Latest => templates::latest_facts(store, &person.actor, id, kind.recipient, &kind.name).await?,
    };
    let (facts, facts_of) = match latest {
        Some((facts, at)) => (facts, Some(at)),
        None => (messages::sample_facts(kind, today), None),
    };
    let config = &application.config;
    let preview = messages::preview(kind, text, &facts, &config.http.public_url, today, &config.card_templates())
        .map_err(|fault| Refusal::invalid(vec![messages::field(fault)]))?;
    let findings = messages::findings(kind, text, today).into_iter().map(ReviewFinding::from).collect();
    Ok(web::Json(MessagePreview { facts_of, words: preview.words, views: preview.views, findings }))
}

/// Propose words for a kind of message; a second person releases them, until then the former ones hold.
#[utoipa::path(tag = "message templates", security(("access_token" = [])), request_body = TemplateText,
    params(("id" = OrganizationId, Path), ("kind" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 201, body = MessageTemplateProposed),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "`template_fixed`, `template_waiting`, `template_unchanged`"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "where the words are wrong"),
    ))]
#[post("/townships/{id}/message-templates/{kind}/proposal")]
async fn propose(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<(OrganizationId, String)>,
    input: Input<TemplateText>,
) -> Answer<HttpResponse> {
    let (township, kind) = path.into_inner();
    let command = input.command(&person.actor, &format!("propose_message_template:{township}:{kind}"))?;
    let county = county(&person.actor)?;
    let text = input.value.text.as_deref();
    let id = messages::propose(&application.store, &command, county, township, kind_of(&kind)?, text).await?.value;
    Ok(HttpResponse::Created().json(MessageTemplateProposed { id }))
}

act!(
    /// Release words that somebody else proposed.
    release, "message templates", MessageTemplateId, "/message-templates/{id}/release", Nothing, "release_message_template",
    |application, command, county, id, _value|
        templates::decide(&application.store, &command, county, id, meaning, Verdict::Release)
);

act!(
    /// Reject a proposal; whoever proposed it is told why. One's own is taken back.
    reject, "message templates", MessageTemplateId, "/message-templates/{id}/rejection", TemplateReason,
    "reject_message_template",
    |application, command, county, id, value|
        templates::decide(&application.store, &command, county, id, meaning, Verdict::Reject { reason: value.reason })
);

fn meaning(kind: &str) -> String {
    messages::kind(kind).map(|kind| kind.meaning().to_owned()).unwrap_or_default()
}
