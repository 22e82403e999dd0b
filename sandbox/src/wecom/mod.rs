//! WeCom under the prefix `/wecom`: group robots and the application.

mod app;
mod app_chat;
mod app_content;
mod app_token;
mod app_upload;
mod attachments;
mod card_parts;
mod card_update;
mod customer_groups;
mod group_chats;
mod menu;
mod recall;
mod robot_message;
mod robot_upload;
mod smart_robot;
mod staff_login;
mod template_card;

use actix_web::web;

pub(crate) use app::AppUse;
pub(crate) use card_update::ResponseCodes;
pub(crate) use customer_groups::{GroupTasks, confirm};
pub(crate) use robot_upload::{Media, Upload, read};
pub use smart_robot::RobotMessage;
pub(crate) use smart_robot::tell;
pub(crate) use staff_login::LoginCodes;

use crate::answer::{Manner, answer, not_simulated, refused};

/// An image of 2 MB is 2.7 MB in base64; a file may have 20 MB.
const BODY_BYTES: usize = 24 * 1024 * 1024;

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(BODY_BYTES))
        .service(
            web::resource("/cgi-bin/webhook/send")
                .route(web::post().to(robot_message::send))
                .default_service(post_only()),
        )
        .service(
            web::resource("/cgi-bin/webhook/upload_media")
                .route(web::post().to(robot_upload::upload))
                .default_service(post_only()),
        )
        .service(web::resource("/cgi-bin/gettoken").route(web::get().to(app_token::token)).default_service(get_only()))
        .service(
            web::resource("/cgi-bin/getcallbackip")
                .route(web::get().to(app_token::callback_addresses))
                .default_service(get_only()),
        )
        .service(
            web::resource("/cgi-bin/message/recall").route(web::post().to(recall::recall)).default_service(post_only()),
        )
        .service(web::resource("/cgi-bin/message/send").route(web::post().to(app::send)).default_service(post_only()))
        .service(
            web::resource("/cgi-bin/message/update_template_card")
                .route(web::post().to(card_update::update))
                .default_service(post_only()),
        )
        .service(web::resource("/cgi-bin/menu/create").route(web::post().to(menu::create)).default_service(post_only()))
        .service(
            web::resource("/cgi-bin/auth/getuserinfo")
                .route(web::get().to(staff_login::who_is_it))
                .default_service(get_only()),
        )
        .service(
            web::resource("/cgi-bin/externalcontact/add_msg_template")
                .route(web::post().to(customer_groups::add))
                .default_service(post_only()),
        )
        .service(
            web::resource("/cgi-bin/externalcontact/get_groupmsg_task")
                .route(web::post().to(customer_groups::members))
                .default_service(post_only()),
        )
        .service(
            web::resource("/cgi-bin/externalcontact/get_groupmsg_send_result")
                .route(web::post().to(customer_groups::results))
                .default_service(post_only()),
        )
        .service(
            web::resource("/cgi-bin/externalcontact/remind_groupmsg_send")
                .route(web::post().to(customer_groups::remind))
                .default_service(post_only()),
        )
        .service(
            web::resource("/cgi-bin/externalcontact/cancel_groupmsg_send")
                .route(web::post().to(customer_groups::stop))
                .default_service(post_only()),
        )
        .service(
            web::resource("/cgi-bin/externalcontact/groupchat/list")
                .route(web::post().to(group_chats::list))
                .default_service(post_only()),
        )
        .service(
            web::resource("/cgi-bin/externalcontact/groupchat/get")
                .route(web::post().to(group_chats::get))
                .default_service(post_only()),
        )
        .service(
            web::resource("/cgi-bin/appchat/create")
                .route(web::post().to(app_chat::create))
                .default_service(post_only()),
        )
        .service(
            web::resource("/cgi-bin/appchat/send").route(web::post().to(app_chat::send)).default_service(post_only()),
        )
        .service(
            web::resource("/cgi-bin/miniprogram/jscode2session")
                .route(web::get().to(staff_login::mini_program))
                .default_service(get_only()),
        )
        .service(
            web::resource("/cgi-bin/media/upload")
                .route(web::post().to(app_upload::upload))
                .default_service(post_only()),
        )
        .default_service(web::to(not_simulated));
}

fn get_only() -> actix_web::Route {
    web::to(async || answer(&Manner::WeCom, refused(43001, "require GET method")))
}

fn post_only() -> actix_web::Route {
    web::to(async || answer(&Manner::WeCom, refused(43002, "require POST method")))
}
