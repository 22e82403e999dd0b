//! The pages on which people see what arrived, and what they can do with a phone.

mod authorize;
mod chat;
mod customer;
mod group;
mod group_tasks;
mod guard;
mod layout;
mod markdown;
mod overview;
mod phone;

use actix_web::{HttpResponse, web};

pub(crate) use guard::guard;

/// Where a browser is sent to sign a member of the corporation in; on the platform at a host of its own.
pub(crate) fn authorization(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/connect/oauth2/authorize")
            .wrap(actix_web::middleware::from_fn(guard))
            .route(web::get().to(authorize::ask)),
    );
}

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("", web::get().to(overview::show))
        .route("/", web::get().to(overview::show))
        .route("/phones", web::post().to(overview::add_phone))
        .route("/groups/{key}", web::get().to(group::show))
        .route("/groups/{key}/images/{id}", web::get().to(group::image))
        .route("/phones/{openid}", web::get().to(phone::show))
        .route("/phones/{openid}/messages", web::post().to(chat::say))
        .route("/phones/{openid}/files", web::post().to(chat::send_file))
        .route("/phones/{openid}/locations", web::post().to(chat::send_location))
        .route("/phones/{openid}/menu", web::post().to(chat::tap_menu))
        .route("/phones/{openid}/pictures/{id}", web::get().to(chat::picture))
        .route("/phones/{openid}/cards", web::post().to(phone::tap))
        .route("/phones/{openid}/group-tasks", web::post().to(group_tasks::confirm))
        .route("/phones/{openid}/choices", web::post().to(customer::choose))
        .route("/phones/{openid}/uploads/{id}", web::get().to(customer::picture))
        .route("/phones/{openid}/open", web::post().to(phone::open_app))
        .route("/phones/{openid}/links/{name}", web::get().to(phone::follow))
        .route("/wecom-logins", web::post().to(authorize::agree))
        .route("/phones/{openid}/subscriptions", web::post().to(phone::choose))
        .route("/assets/style.css", web::get().to(async || asset("text/css", include_str!("style.css"))))
        .route("/assets/live.js", web::get().to(async || asset("text/javascript", include_str!("live.js"))));
}

fn asset(media_type: &str, content: &'static str) -> HttpResponse {
    HttpResponse::Ok().content_type(format!("{media_type}; charset=utf-8")).body(content)
}
