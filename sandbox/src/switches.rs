//! What a trial switches while the simulator runs: pushes that go wrong, limits, the account at WeCom.

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::{Limits, PushFault, Sandbox, WeComAccount, journal::Platform};

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/wecom-settings", web::get().to(wecom_settings))
        .route("/wecom-settings", web::put().to(change_wecom_settings))
        .route("/push-faults", web::get().to(push_faults))
        .route("/push-faults", web::post().to(add_push_fault))
        .route("/push-faults", web::delete().to(clear_push_faults))
        .route("/limits", web::get().to(limits))
        .route("/limits", web::put().to(change_limits));
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

async fn limits(sandbox: web::Data<Sandbox>) -> HttpResponse {
    HttpResponse::Ok().json(sandbox.limits())
}

async fn change_limits(limits: web::Json<Limits>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    sandbox.set_limits(limits.into_inner());
    HttpResponse::NoContent().finish()
}
