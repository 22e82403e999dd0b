//! Which messages a person agreed to get: the mini-program asks, and reports what was chosen.

use actix_web::{HttpResponse, get, post, web};
use qingfeng_core::{
    ids::CountyId,
    outbox::consents::{self, Consent, Teller},
    people::{Actor, PersonKind, phones},
    refusal::{Fault, FieldFault, Refusal, RefusalKind},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    authentication::SignedIn,
    input::Input,
    problem::{Answer, Problem},
};
use crate::Application;

/// The platform asks for at most so many at once.
const MOST_CHOICES: usize = 5;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(report);
}

/// A template of subscribe messages that this person may get.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageTemplate {
    template_id: String,
    /// Messages that the person still accepts, as far as is known.
    left: u32,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct MessageTemplates {
    templates: Vec<MessageTemplate>,
}

/// What `wx.requestSubscribeMessage` said of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentAnswer {
    Accept,
    Reject,
    /// The platform has banned the template.
    Ban,
    /// Left out by the platform, because another has the same title.
    Filter,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentChoice {
    template_id: String,
    answer: ConsentAnswer,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentReport {
    choices: Vec<ConsentChoice>,
}

/// Somebody whom subscribe messages can reach.
struct Reachable {
    county: CountyId,
    open_id: String,
    templates: Vec<String>,
}

impl Reachable {
    async fn find(application: &Application, actor: &Actor) -> Result<Option<Self>, Fault> {
        let (county, kind, id) = match actor {
            Actor::Resident(resident) => (resident.county, PersonKind::Resident, resident.id.0),
            Actor::Staff(staff) => (staff.county, PersonKind::Staff, staff.id.0),
            Actor::Visitor | Actor::Receipt { .. } | Actor::System { .. } => return Err(Refusal::not_found().into()),
        };
        let settings = &application.config.wechat;
        let templates = match kind {
            // A resident has no deadlines to keep.
            PersonKind::Resident => vec![settings.progress_template.id().to_owned()],
            PersonKind::Staff => {
                [&settings.reminder_template, &settings.progress_template].map(|keys| keys.id().to_owned()).to_vec()
            }
        };
        let open_id = phones::open_id(application.store.reader(), kind, id).await?;
        Ok(open_id.map(|open_id| Self { county, open_id, templates }))
    }
}

/// The templates to ask me about, and what I have agreed to so far. None without a WeChat identity.
#[utoipa::path(tag = "me", security(("access_token" = [])), responses(
    (status = 200, body = MessageTemplates),
    (status = 401, body = Problem, content_type = "application/problem+json"),
))]
#[get("/me/consents")]
async fn list(application: web::Data<Application>, person: SignedIn) -> Answer<web::Json<MessageTemplates>> {
    let mut templates = Vec::new();
    if let Some(reachable) = Reachable::find(&application, &person.actor).await? {
        for template in reachable.templates {
            let consent = Consent::new(&reachable.open_id, &template);
            let left = consents::left(&application.store, &consent).await?;
            templates.push(MessageTemplate { template_id: template, left });
        }
    }
    Ok(web::Json(MessageTemplates { templates }))
}

/// Report what I chose when the mini-program asked: one accept is one message. The platform tells the same by an event;
/// both together count once.
#[utoipa::path(tag = "me", security(("access_token" = [])), request_body = ConsentReport, responses(
    (status = 204),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`no_wechat_identity`"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[post("/me/consents")]
async fn report(
    application: web::Data<Application>,
    person: SignedIn,
    input: Input<ConsentReport>,
) -> Answer<HttpResponse> {
    let choices = input.value.choices;
    let Some(reachable) = Reachable::find(&application, &person.actor).await? else {
        let sentence = "您还没有绑定微信，收不到微信通知。";
        return Err(Refusal::new(RefusalKind::Conflict, "no_wechat_identity", sentence).into());
    };
    check(&choices, &reachable.templates)?;
    for choice in choices.into_iter().filter(|choice| choice.answer == ConsentAnswer::Accept) {
        let consent = Consent::new(&reachable.open_id, choice.template_id);
        consents::accepted(&application.store, reachable.county, consent, Teller::App, 1).await?;
    }
    Ok(HttpResponse::NoContent().finish())
}

fn check(choices: &[ConsentChoice], known: &[String]) -> Result<(), Refusal> {
    if choices.len() > MOST_CHOICES {
        let sentence = format!("一次最多报告{MOST_CHOICES}个模板。");
        return Err(Refusal::invalid(vec![FieldFault::new("/choices", sentence)]));
    }
    for (position, choice) in choices.iter().enumerate() {
        let again = choices[..position].iter().any(|other| other.template_id == choice.template_id);
        if again || !known.contains(&choice.template_id) {
            let fault = FieldFault::new(format!("/choices/{position}/template_id"), "没有这个消息模板，或者重复了。");
            return Err(Refusal::invalid(vec![fault]));
        }
    }
    Ok(())
}
