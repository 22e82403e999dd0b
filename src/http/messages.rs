//! Messages that did not get through.

use actix_web::{get, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use qingfeng_core::{
    ids::MessageId,
    outbox::{
        MessageState, RecipientKind,
        residents_missed::{Missed, residents_missed},
        undelivered::{self, PAGE, Undelivered},
    },
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
    config.service(list).service(resend).service(arrived);
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MessagesQuery {
    /// The last one of the page before.
    before: Option<MessageId>,
}

/// A message that was parked, or of which nobody knows whether it arrived.
#[derive(Debug, Serialize, ToSchema)]
pub struct UndeliveredMessage {
    id: MessageId,
    recipient_kind: RecipientKind,
    /// The group or the member of staff.
    recipient: Option<String>,
    /// What kind of message it is, e.g. `deadline_ahead`.
    kind: String,
    title: Option<String>,
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
            recipient_kind: message.recipient_kind,
            recipient: message.recipient,
            why: qingfeng_bot::messages::why(message.recipient_kind, &message.kind),
            kind: message.kind,
            title: message.title,
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

/// Messages of the township that did not get through to staff and groups, latest first, and how many did not reach residents.
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
    let rows = undelivered::undelivered(&application.store, &person.actor, query.before).await?;
    let next = if rows.len() as u64 == PAGE { rows.last().map(|row| row.id) } else { None };
    let residents = match query.before {
        None => residents_missed(&application.store, &person.actor).await?,
        Some(_) => Vec::new(),
    };
    Ok(web::Json(UndeliveredMessages {
        items: rows.into_iter().map(UndeliveredMessage::from).collect(),
        residents: residents.into_iter().map(ResidentsMissed::from).collect(),
        next,
    }))
}

act!(
    /// Send it again.
    resend, "messages", MessageId, "/messages/{id}/resending", Nothing, "resend_message",
    |application, command, county, id, _value| undelivered::resend(&application.store, &command, county, id)
);

act!(
    /// It arrived: somebody saw it, or asked.
    arrived, "messages", MessageId, "/messages/{id}/arrival", Nothing, "confirm_message_arrival",
    |application, command, county, id, _value| undelivered::arrived(&application.store, &command, county, id)
);
