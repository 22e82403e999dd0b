//! Posts that a second person lets go into a group, what went there, and taking posts back.

use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use qingfeng_core::{
    groups::{
        retraction,
        reviews::{self, PAGE, ReviewState, Reviewed, Verdict},
        sent::{self, SentPost},
    },
    ids::{MessageId, OrganizationId},
    outbox::MessageState,
    publication::{Finding, FindingKind},
    refusal::Fault,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    act::act,
    authentication::SignedIn,
    complaints::Nothing,
    problem::{Answer, Problem},
};
use crate::Application;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(list_sent).service(approve).service(reject).service(retract);
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReviewsQuery {
    state: Option<ReviewState>,
    /// The last one of the page before.
    before: Option<MessageId>,
}

/// A place in a post that may not belong into a group.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewFinding {
    kind: FindingKind,
    /// The place in the text; empty when it is the text as a whole.
    words: String,
    /// What it is, in Chinese.
    sentence: &'static str,
    /// Nobody can let the post go like this.
    forbids: bool,
}

impl From<Finding> for ReviewFinding {
    fn from(finding: Finding) -> Self {
        Self {
            kind: finding.kind,
            sentence: finding.kind.sentence(),
            forbids: finding.kind.forbids(),
            words: finding.words,
        }
    }
}

/// A post that waits to be let go, or was decided on.
#[derive(Debug, Serialize, ToSchema)]
pub struct PostReview {
    id: MessageId,
    /// Name of the group.
    group: String,
    village_id: OrganizationId,
    /// As it will stand in the group.
    text: String,
    findings: Vec<ReviewFinding>,
    state: ReviewState,
    reason: Option<String>,
    created_at: DateTime<Utc>,
    decided_at: Option<DateTime<Utc>>,
}

impl TryFrom<Reviewed> for PostReview {
    type Error = Fault;

    fn try_from(Reviewed { review, group }: Reviewed) -> Result<Self, Fault> {
        let findings: Vec<Finding> = serde_json::from_value(review.findings).map_err(Fault::unavailable)?;
        Ok(Self {
            id: review.id,
            group,
            village_id: review.village_id,
            text: review.text,
            findings: findings.into_iter().map(ReviewFinding::from).collect(),
            state: review.state,
            reason: review.reason,
            created_at: review.created_at,
            decided_at: review.decided_at,
        })
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PostReviews {
    items: Vec<PostReview>,
    next: Option<MessageId>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostReason {
    reason: String,
}

/// The posts that I may let go into groups, latest first.
#[utoipa::path(tag = "group posts", security(("access_token" = [])), params(ReviewsQuery), responses(
    (status = 200, body = PostReviews),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[get("/group-posts")]
async fn list(
    application: web::Data<Application>,
    person: SignedIn,
    query: web::Query<ReviewsQuery>,
) -> Answer<web::Json<PostReviews>> {
    let rows = reviews::list(&application.store, &person.actor, query.state, query.before).await?;
    let next = if rows.len() as u64 == PAGE { rows.last().map(|row| row.review.id) } else { None };
    let items = rows.into_iter().map(PostReview::try_from).collect::<Result<_, _>>()?;
    Ok(web::Json(PostReviews { items, next }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SentPostsQuery {
    /// The last one of the page before.
    before: Option<MessageId>,
}

/// A post that is in a group or on its way there, or was taken back.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupPost {
    id: MessageId,
    /// Name of the group.
    group: String,
    /// What kind of post it is, in Chinese.
    what: &'static str,
    /// What it is about.
    title: Option<String>,
    state: MessageState,
    /// Somebody took it back: it is not sent any more, or is corrected.
    retracted: bool,
    /// I may take it back. What the product itself says about anonymous surveys nobody does.
    can_be_retracted: bool,
    created_at: DateTime<Utc>,
    sent_at: Option<DateTime<Utc>>,
}

impl From<SentPost> for GroupPost {
    fn from(post: SentPost) -> Self {
        let can_be_retracted = post.can_be_retracted();
        let SentPost { message, group } = post;
        Self {
            id: message.id,
            group,
            what: qingfeng_bot::messages::what_is_posted(&message.kind),
            title: message.facts.get("title").and_then(|title| title.as_str()).map(str::to_owned),
            state: message.state,
            retracted: message.retracted_at.is_some(),
            can_be_retracted,
            created_at: message.created_at,
            sent_at: message.sent_at,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct GroupPosts {
    items: Vec<GroupPost>,
    next: Option<MessageId>,
}

/// The posts of the groups in which I may take posts back: what is there, may be, or is on its way; and what was taken back. None
/// about a matter that concerns me. Latest first.
#[utoipa::path(tag = "group posts", security(("access_token" = [])), params(SentPostsQuery), responses(
    (status = 200, body = GroupPosts),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[get("/group-posts/sent")]
async fn list_sent(
    application: web::Data<Application>,
    person: SignedIn,
    query: web::Query<SentPostsQuery>,
) -> Answer<web::Json<GroupPosts>> {
    let rows = sent::list(&application.store, &person.actor, query.before).await?;
    let next = if rows.len() as u64 == sent::PAGE { rows.last().map(|row| row.message.id) } else { None };
    Ok(web::Json(GroupPosts { items: rows.into_iter().map(GroupPost::from).collect(), next }))
}

act!(
    /// Let a post go that somebody else wrote.
    approve, "group posts", MessageId, "/group-posts/{id}/approval", Nothing, "approve_post",
    |application, command, county, id, _value|
        reviews::decide(&application.store, &command, county, id, Verdict::LetGo)
);

act!(
    /// Keep a post back for good; its author is told why.
    reject, "group posts", MessageId, "/group-posts/{id}/rejection", PostReason, "reject_post",
    |application, command, county, id, value|
        reviews::decide(&application.store, &command, county, id, Verdict::Reject { reason: value.reason })
);

act!(
    /// Take a post back: what is in the group already is corrected there.
    retract, "group posts", MessageId, "/group-posts/{id}/retraction", PostReason, "retract_post",
    |application, command, county, id, value|
        retraction::retract(&application.store, &command, county, id, &value.reason)
);
