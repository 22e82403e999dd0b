//! Anonymous surveys (背靠背测评): the office plans and opens, residents get credentials, the committee reads what was published.
//! Envelopes are not thrown in here but at the box's own listener ([`super::ballot_box`]).

mod acts;
mod create;
mod credential;
mod files;
mod list;
mod paper;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    // "boxes" is no survey's name: its routes come first.
    config
        .service(credential::credential)
        .service(list::box_turnout)
        .service(paper::find_on_roll)
        .service(paper::register)
        .service(paper::settle)
        .service(list::surveys)
        .service(create::create)
        .service(list::view)
        .configure(acts::routes)
        .service(files::bundle_file);
}
