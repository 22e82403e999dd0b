//! Faults on demand: what networks and platforms do to a message on its way.

use std::time::Duration;

use actix_web::{
    Error, HttpResponse,
    body::{BodySize, BoxBody, MessageBody, to_bytes},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Sandbox,
    answer::Decision,
    journal::{Call, Platform},
};

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// The call is carried out, the answer comes late.
    Delay { milliseconds: u64 },
    /// The call is carried out, the answer comes when the fault is ended.
    Hold,
    /// The call is carried out, then the connection breaks without an answer.
    Cut,
    /// A gateway answers 502 with a page; the call is not carried out.
    BadGateway,
    /// The call is carried out, half of the answer arrives.
    Truncated,
    /// The platform answers -1; the call is not carried out.
    Busy,
    /// The platform answers with this code; the call is not carried out.
    Refuse { code: i64 },
    /// The call is carried out, then a gateway answers 502 or 504 with a page in place of the platform.
    GatewayAfter {
        #[serde(default = "gateway_timeout")]
        status: u16,
    },
    /// The call is not carried out, and the connection stays open without an answer.
    Silent,
    /// The whole platform is away: 503 with a page; the call is not carried out.
    Outage,
    /// Something in between answers 200 with a page of its own; the call is not carried out.
    Portal,
}

impl FaultKind {
    fn name(&self) -> &'static str {
        match self {
            Self::Delay { .. } => "delay",
            Self::Hold => "hold",
            Self::Cut => "cut",
            Self::BadGateway => "bad_gateway",
            Self::Truncated => "truncated",
            Self::Busy => "busy",
            Self::Refuse { .. } => "refuse",
            Self::GatewayAfter { .. } => "gateway_after",
            Self::Silent => "silent",
            Self::Outage => "outage",
            Self::Portal => "portal",
        }
    }
}

fn gateway_timeout() -> u16 {
    504
}

/// How long a silent platform keeps the connection.
const SILENCE: Duration = Duration::from_secs(600);
/// How soon an answer that is held notices that it may go.
const HOLD_LOOK: Duration = Duration::from_millis(2);

/// A fault, for which calls and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub platform: Platform,
    /// Path without the platform's prefix, as in `/cgi-bin/webhook/send`; without it every call.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// After that many calls the fault is over; without it, it lasts until it is removed.
    #[serde(default)]
    pub times: Option<u32>,
    #[serde(flatten)]
    pub kind: FaultKind,
}

impl Fault {
    #[must_use]
    pub fn new(platform: Platform, kind: FaultKind) -> Self {
        Self { platform, endpoint: None, times: None, kind }
    }

    /// # Errors
    /// The sentence for the operator when no gateway answers like that.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        match self.kind {
            FaultKind::GatewayAfter { status } if !(500..600).contains(&status) => Err("网关的状态码是 500 至 599"),
            FaultKind::Hold if self.times.is_some() => Err("扣住的回答到故障结束才放行，不能限定次数"),
            _ => Ok(()),
        }
    }

    #[must_use]
    pub fn at(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }
}

/// A fault in force.
#[derive(Clone, Debug, Serialize)]
pub struct ActiveFault {
    pub id: u64,
    #[serde(flatten)]
    pub fault: Fault,
}

#[derive(Default)]
pub(crate) struct Faults {
    active: Vec<ActiveFault>,
    last_id: u64,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) -> u64 {
        self.last_id += 1;
        self.active.push(ActiveFault { id: self.last_id, fault });
        self.last_id
    }

    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.active.len();
        self.active.retain(|active| active.id != id);
        self.active.len() < before
    }

    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }

    pub(crate) fn list(&self) -> &[ActiveFault] {
        &self.active
    }

    fn is_in_force(&self, id: u64) -> bool {
        self.active.iter().any(|active| active.id == id)
    }

    /// The oldest fault that meets the call, with its id; its remaining times go down.
    fn meet(&mut self, platform: Platform, endpoint: &str) -> Option<(u64, FaultKind)> {
        let position = self.active.iter().position(|active| {
            let fault = &active.fault;
            fault.platform == platform
                && fault.times != Some(0)
                && fault.endpoint.as_deref().is_none_or(|only| only == endpoint)
        })?;
        let ActiveFault { id, fault } = &mut self.active[position];
        let (id, kind) = (*id, fault.kind.clone());
        if let Some(times) = &mut fault.times {
            *times -= 1;
            if *times == 0 {
                self.active.remove(position);
            }
        }
        Some((id, kind))
    }
}

/// Lets the call through, or not, as the faults in force say, and writes it into the journal.
pub(crate) async fn inject(
    platform: Platform,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let sandbox = request.app_data::<web::Data<Sandbox>>().expect("configure sets it").clone();
    let endpoint = endpoint(&request);
    let (id, fault) = sandbox.state().faults.meet(platform, &endpoint).unzip();
    let response = match &fault {
        Some(FaultKind::BadGateway) => instead(request, gateway_page(502, "502 Bad Gateway")),
        Some(FaultKind::Outage) => instead(request, gateway_page(503, "503 Service Temporarily Unavailable")),
        Some(FaultKind::Portal) => instead(request, gateway_page(200, "Please sign in")),
        Some(FaultKind::Busy) => instead(request, coded(platform, -1, "system error")),
        Some(FaultKind::Refuse { code }) => instead(request, coded(platform, *code, "refused on demand")),
        Some(FaultKind::Silent) => instead(request, HttpResponse::NoContent().finish()),
        _ => next.call(request).await?.map_into_boxed_body(),
    };
    let code = response.response().extensions().get::<Decision>().map_or(-1, |decision| decision.0);
    let call = Call { at: sandbox.now(), platform, endpoint, code, fault: fault.as_ref().map(FaultKind::name) };
    sandbox.state().journal.call(call);
    Ok(match fault {
        Some(FaultKind::Delay { milliseconds }) => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            response
        }
        Some(FaultKind::Hold) => {
            while id.is_some_and(|id| sandbox.state().faults.is_in_force(id)) {
                tokio::time::sleep(HOLD_LOOK).await;
            }
            response
        }
        Some(FaultKind::Silent) => {
            tokio::time::sleep(SILENCE).await;
            response.map_body(|_, _| BoxBody::new(Broken))
        }
        Some(FaultKind::GatewayAfter { status }) => {
            let title = if status == 504 { "504 Gateway Time-out" } else { "502 Bad Gateway" };
            response.into_response(gateway_page(status, title))
        }
        Some(FaultKind::Cut) => response.map_body(|_, _| BoxBody::new(Broken)),
        Some(FaultKind::Truncated) => truncate(response).await?,
        _ => response,
    })
}

fn endpoint(request: &ServiceRequest) -> String {
    let path = request.path();
    path.trim_start_matches('/').find('/').map_or_else(String::new, |slash| path[slash + 1..].to_owned())
}

fn instead(request: ServiceRequest, response: HttpResponse) -> ServiceResponse<BoxBody> {
    request.into_response(response)
}

fn gateway_page(status: u16, title: &str) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(status).expect("a status of three digits");
    HttpResponse::build(status)
        .content_type("text/html")
        .body(format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"))
}

fn coded(platform: Platform, code: i64, message: &str) -> HttpResponse {
    let tail = hex::encode(rand::random::<[u8; 4]>());
    let body = match platform {
        Platform::Feishu => json!({"code": code, "msg": message, "data": {}}),
        _ => json!({"errcode": code, "errmsg": format!("{message} rid: {tail}")}),
    };
    let mut response = HttpResponse::Ok().content_type("application/json; encoding=utf-8").body(body.to_string());
    response.extensions_mut().insert(Decision(code));
    response
}

async fn truncate(response: ServiceResponse<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    let (request, response) = response.into_parts();
    let (head, body) = response.into_parts();
    let bytes = to_bytes(body).await.unwrap_or_default();
    let half = bytes.slice(..bytes.len() / 2);
    Ok(ServiceResponse::new(request, head.set_body(BoxBody::new(half))))
}

/// A body that fails before its first byte: the server then drops the connection with nothing sent.
struct Broken;

impl MessageBody for Broken {
    type Error = std::io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(64)
    }

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<web::Bytes, Self::Error>>> {
        std::task::Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())))
    }
}
