//! Messages that did not get through.

use actix_web::{HttpResponse, get, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use qingfeng_core::{
    ids::MessageId,
    outbox::{
        MessageState, RecipientKind,
        residents_missed::{Missed, residents_missed},
        undelivered::{self, Undelivered},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::{
    act::act,
    authentication::SignedIn,
    complaints::{Nothing, county},
    input::Input,
    problem::{Answer, Problem},
};
use crate::Application;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(resend).service(arrived).service(resend_all).service(all_arrived);
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MessagesQuery {
    /// The last one of the page before.
    before: Option<MessageId>,
}

/// A card or a post that was parked, or of which nobody knows whether it arrived.
#[derive(Debug, Serialize, ToSchema)]
pub struct UndeliveredMessage {
    /// Of its latest message: whatever is done with it is done with the whole card.
    id: MessageId,
    /// How many messages were in the card.
    messages: usize,
    recipient_kind: RecipientKind,
    /// The group or the member of staff: names alone may be several people's.
    recipient_id: Uuid,
    /// The name of the group or of the member of staff.
    recipient: Option<String>,
    /// The group's village, or unit and title of what the member of staff is today.
    recipient_place: Option<String>,
    /// What kind of message it is, e.g. `deadline_ahead`.
    kind: String,
    title: Option<String>,
    /// What else was in the card.
    also: Vec<String>,
    state: MessageState,
    /// Why its recipient gets it, as the card says; none for a group's post.
    why: Option<&'static str>,
    /// Why it did not get through, in Chinese.
    reason: String,
    created_at: DateTime<Utc>,
}

impl From<Undelivered> for UndeliveredMessage {
    fn from(message: Undelivered) -> Self {
        Self {
            id: message.id,
            messages: message.messages,
            recipient_kind: message.recipient_kind,
            recipient_id: message.recipient_id,
            recipient: message.recipient,
            recipient_place: message.recipient_place,
            why: qingfeng_bot::messages::why(message.recipient_kind, &message.kind),
            kind: message.kind,
            title: message.title,
            also: message.also,
            state: message.state,
            reason: message.reason,
            created_at: message.created_at,
        }
    }
}

/// A day on which messages did not reach residents. Nobody is told whom, nor about what.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResidentsMissed {
    day: NaiveDate,
    messages: u32,
}

impl From<Missed> for ResidentsMissed {
    fn from(missed: Missed) -> Self {
        Self { day: missed.day, messages: missed.messages }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct UndeliveredMessages {
    items: Vec<UndeliveredMessage>,
    /// Of the last thirty days, latest first; days with fewer than ten are left out. On the first page only.
    residents: Vec<ResidentsMissed>,
    next: Option<MessageId>,
}

/// Messages of the township that did not get through to staff and groups, latest first, what was in one card together, and how many did
/// not reach residents. A page may be empty though another one follows.
#[utoipa::path(tag = "messages", security(("access_token" = [])), params(MessagesQuery), responses(
    (status = 200, body = UndeliveredMessages),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[get("/messages")]
async fn list(
    application: web::Data<Application>,
    person: SignedIn,
    query: web::Query<MessagesQuery>,
) -> Answer<web::Json<UndeliveredMessages>> {
    let page = undelivered::undelivered(&application.store, &person.actor, query.before).await?;
    let residents = match query.before {
        None => residents_missed(&application.store, &person.actor).await?,
        Some(_) => Vec::new(),
    };
    Ok(web::Json(UndeliveredMessages {
        items: page.items.into_iter().map(UndeliveredMessage::from).collect(),
        residents: residents.into_iter().map(ResidentsMissed::from).collect(),
        next: page.next,
    }))
}

act!(
    /// Send it again, with what was in the same card.
    resend, "messages", MessageId, "/messages/{id}/resending", Nothing, "resend_message",
    |application, command, county, id, _value| undelivered::resend(&application.store, &command, county, vec![id])
);

act!(
    /// It arrived: somebody saw it, or asked.
    arrived, "messages", MessageId, "/messages/{id}/arrival", Nothing, "confirm_message_arrival",
    |application, command, county, id, _value| undelivered::arrived(&application.store, &command, county, vec![id])
);

/// Messages that are settled together.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedMessages {
    /// At most a hundred.
    ids: Vec<MessageId>,
}

/// Send all of them again, with what was in the same cards. Those that somebody else has settled meanwhile stay as they are.
#[utoipa::path(tag = "messages", security(("access_token" = [])), request_body = NamedMessages,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 204),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`message_not_parked`, `post_retracted`"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/messages/resending")]
async fn resend_all(
    application: web::Data<Application>,
    person: SignedIn,
    input: Input<NamedMessages>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, "resend_messages")?;
    undelivered::resend(&application.store, &command, county(&person.actor)?, input.value.ids).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// All of them arrived: somebody saw them, or asked. Those that somebody else has settled meanwhile stay as they are.
#[utoipa::path(tag = "messages", security(("access_token" = [])), request_body = NamedMessages,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 204),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`message_not_unknown`"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/messages/arrival")]
async fn all_arrived(
    application: web::Data<Application>,
    person: SignedIn,
    input: Input<NamedMessages>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, "confirm_message_arrivals")?;
    undelivered::arrived(&application.store, &command, county(&person.actor)?, input.value.ids).await?;
    Ok(HttpResponse::NoContent().finish())
}
