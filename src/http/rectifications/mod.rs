//! Rectification items: planned by the office, worked on by the unit, judged by those whom they affect.

mod acts;
mod view;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    view::routes(config);
    acts::routes(config);
}
