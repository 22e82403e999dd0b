//! What a trial switches while the simulator runs: pushes that go wrong, limits, the account at WeCom.

use std::{collections::BTreeMap, time::Duration};

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use crate::{Account, Limits, PushFault, Sandbox, WeComAccount, journal::Platform};

impl Sandbox {
    /// Puts something in the way of the next pushes.
    pub fn trouble_pushes(&self, fault: PushFault) {
        self.state().push_faults.add(fault);
    }

    /// Ends what is in the way of pushes; what was held back is delivered.
    pub fn clear_push_faults(&self) {
        self.state().push_faults.clear();
        self.arrivals().notify_waiters();
    }

    #[must_use]
    pub fn limits(&self) -> Limits {
        self.state().limits.clone()
    }

    pub fn set_limits(&self, limits: Limits) {
        self.state().limits = limits;
    }

    /// Access tokens live that long from now on, as when the platform hands out one that soon ends.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.state().token_lifetime = Some(lifetime);
    }

    /// How often each interface was called: `wechat /cgi-bin/stable_token` and so on.
    #[must_use]
    pub fn call_counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for call in &self.state().journal.calls {
            let name = format!("{} {}", json!(call.platform).as_str().unwrap_or_default(), call.endpoint);
            *counts.entry(name).or_default() += 1;
        }
        counts
    }
}

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/official-account-settings", web::get().to(official_settings))
        .route("/official-account-settings", web::put().to(change_official_settings))
        .route("/open-platform", web::post().to(bind_to_open_platform))
        .route("/wecom-settings", web::get().to(wecom_settings))
        .route("/wecom-settings", web::put().to(change_wecom_settings))
        .route("/push-faults", web::get().to(push_faults))
        .route("/push-faults", web::post().to(add_push_fault))
        .route("/push-faults", web::delete().to(clear_push_faults))
        .route("/tokens/lifetime", web::put().to(change_token_lifetime))
        .route("/journal/counts", web::get().to(call_counts))
        .route("/limits", web::get().to(limits))
        .route("/limits", web::put().to(change_limits));
}

async fn official_settings(sandbox: web::Data<Sandbox>) -> HttpResponse {
    HttpResponse::Ok().json(sandbox.official_account())
}

async fn change_official_settings(account: web::Json<Account>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    sandbox.set_official_account(account.into_inner());
    HttpResponse::NoContent().finish()
}

async fn bind_to_open_platform(sandbox: web::Data<Sandbox>) -> HttpResponse {
    sandbox.bind_to_open_platform();
    HttpResponse::NoContent().finish()
}

async fn wecom_settings(sandbox: web::Data<Sandbox>) -> HttpResponse {
    HttpResponse::Ok().json(sandbox.wecom_account())
}

async fn change_wecom_settings(account: web::Json<WeComAccount>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    sandbox.set_wecom_account(account.into_inner());
    HttpResponse::NoContent().finish()
}

async fn push_faults(sandbox: web::Data<Sandbox>) -> HttpResponse {
    HttpResponse::Ok().json(sandbox.state().push_faults.list())
}

async fn add_push_fault(fault: web::Json<PushFault>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    if !matches!(fault.platform, Platform::WeChat | Platform::WeCom) || fault.times == 0 {
        return HttpResponse::UnprocessableEntity().json(json!({"error": "只有微信和企业微信会推送，次数至少为 1"}));
    }
    sandbox.trouble_pushes(fault.into_inner());
    HttpResponse::Created().finish()
}

async fn clear_push_faults(sandbox: web::Data<Sandbox>) -> HttpResponse {
    sandbox.clear_push_faults();
    HttpResponse::NoContent().finish()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lifetime {
    seconds: u64,
}

async fn change_token_lifetime(lifetime: web::Json<Lifetime>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    sandbox.set_token_lifetime(Duration::from_secs(lifetime.seconds));
    HttpResponse::NoContent().finish()
}

async fn call_counts(sandbox: web::Data<Sandbox>) -> HttpResponse {
    HttpResponse::Ok().json(sandbox.call_counts())
}

async fn limits(sandbox: web::Data<Sandbox>) -> HttpResponse {
    HttpResponse::Ok().json(sandbox.limits())
}

async fn change_limits(limits: web::Json<Limits>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    sandbox.set_limits(limits.into_inner());
    HttpResponse::NoContent().finish()
}
