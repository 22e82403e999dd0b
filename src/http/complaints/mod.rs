//! Complaints: residents file, follow and rate them; staff work on them.

mod acts;
mod extensions;
mod intake;
mod receipts;
mod similar;
mod view;

pub(in crate::http) use acts::{Nothing, county};
pub(in crate::http) use extensions::{ExtensionDecision, RequestedExtension};
use utoipa_actix_web::service_config::ServiceConfig;
pub(in crate::http) use view::{DeadlineView, Photo};

pub(super) fn routes(config: &mut ServiceConfig) {
    intake::routes(config);
    receipts::routes(config);
    similar::routes(config);
    acts::routes(config);
    extensions::routes(config);
}
