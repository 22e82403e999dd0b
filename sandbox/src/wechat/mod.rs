//! The WeChat interfaces that the product uses, under the prefix `/wechat`.

mod accounts;
mod content_check;
mod customer_content;
mod customer_message;
mod delivery;
mod event;
mod links;
mod login;
mod media;
mod menu;
mod mini_program;
mod push;
mod quota;
mod session;
mod subscribe_message;
mod template;
mod template_message;
mod tokens;
mod upload;
mod values;
mod xml;

use actix_web::web;

pub(crate) use accounts::Which;
pub use accounts::official_openid;
pub(crate) use customer_message::{Occasion, ReplyAllowances, grant};
pub(crate) use event::push_object;
pub(crate) use links::{LINK_HOST, Links};
pub(crate) use login::{LoginCode, issue_code};
pub(crate) use media::AccountMedia;
pub use media::AccountMessage;
pub(crate) use menu::Menu;
pub(crate) use mini_program::PhoneCodes;
pub use push::PushOutcome;
pub(crate) use push::{
    Callback, Event, Passive, PushManner, Target, push_at_wecom, push_choice, push_event, push_message, push_text,
    verify_callback,
};
pub use session::EncryptedData;
pub(crate) use session::Sessions;
pub use template::{Template, TemplateField};
pub(crate) use template_message::TakenNames;
pub(crate) use tokens::TokenBook;
pub(crate) use upload::Uploads;
pub(crate) use xml::element;

use crate::answer::{Manner, answer, not_simulated, refused};

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/sns/jscode2session")
                .route(web::get().to(login::code_to_session))
                .default_service(get_only()),
        )
        .service(web::resource("/cgi-bin/token").route(web::get().to(tokens::token)).default_service(get_only()))
        .service(
            web::resource("/cgi-bin/stable_token")
                .route(web::post().to(tokens::stable_token))
                .default_service(post_only()),
        )
        .service(
            web::resource("/cgi-bin/message/subscribe/send")
                .route(web::post().to(subscribe_message::send))
                .default_service(post_only()),
        )
        .service(
            web::resource("/cgi-bin/message/custom/send")
                .route(web::post().to(customer_message::send))
                .default_service(post_only()),
        )
        .service(web::resource("/cgi-bin/media/get").route(web::get().to(media::get)).default_service(get_only()))
        .service(
            web::resource("/cgi-bin/user/info").route(web::get().to(accounts::user_info)).default_service(get_only()),
        )
        .service(web::resource("/cgi-bin/menu/create").route(web::post().to(menu::create)).default_service(post_only()))
        .service(
            web::resource("/cgi-bin/message/template/send")
                .route(web::post().to(template_message::send))
                .default_service(post_only()),
        )
        .service(
            web::resource("/wxa/business/getuserphonenumber")
                .route(web::post().to(mini_program::phone_number))
                .default_service(post_only()),
        )
        .service(
            web::resource("/wxa/generate_urllink").route(web::post().to(links::url_link)).default_service(post_only()),
        )
        .service(web::resource("/wxa/generatescheme").route(web::post().to(links::scheme)).default_service(post_only()))
        .service(
            web::resource("/wxa/getwxacodeunlimit")
                .route(web::post().to(links::code_image))
                .default_service(post_only()),
        )
        .service(
            web::resource("/wxa/msg_sec_check")
                .route(web::post().to(content_check::check_text))
                .default_service(post_only()),
        )
        .service(
            web::resource("/cgi-bin/media/upload").route(web::post().to(upload::upload)).default_service(post_only()),
        )
        .service(web::resource("/cgi-bin/clear_quota").route(web::post().to(quota::clear)).default_service(post_only()))
        .service(
            web::resource("/wxa/media_check_async")
                .route(web::post().to(content_check::check_media))
                .default_service(post_only()),
        )
        .service(web::resource("/wxa/checksession").route(web::get().to(session::check)).default_service(get_only()))
        .service(
            web::resource("/wxa/resetusersessionkey").route(web::get().to(session::reset)).default_service(get_only()),
        )
        .service(
            web::resource("/wxa/business/checkencryptedmsg")
                .route(web::post().to(session::check_encrypted))
                .default_service(post_only()),
        )
        .service(
            web::resource("/cgi-bin/template/get_all_private_template")
                .route(web::get().to(template::list_at_official_account))
                .default_service(get_only()),
        )
        .service(
            web::resource("/wxaapi/newtmpl/gettemplate")
                .route(web::get().to(template::list))
                .default_service(get_only()),
        )
        .default_service(web::to(not_simulated));
}

fn get_only() -> actix_web::Route {
    web::to(async || answer(&Manner::CgiBin, refused(43001, "require GET method")))
}

fn post_only() -> actix_web::Route {
    web::to(async || answer(&Manner::CgiBin, refused(43002, "require POST method")))
}
