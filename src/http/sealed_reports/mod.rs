//! Sealed reports (检举控告): reporters, who are nobody, and the officers of the office that they wrote to.

mod keys;
mod office;
mod reporter;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use qingfeng_core::{
    refusal::Refusal,
    reports::{Part, ReportRefusal, Side},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    // "keys" is no report's name: its routes come first.
    keys::routes(config);
    reporter::routes(config);
    office::routes(config);
}

/// An envelope of a report: the report itself comes first.
#[derive(Debug, Serialize, ToSchema)]
pub struct SealedReportPart {
    side: Side,
    /// Base 64 of an age file.
    sealed: String,
}

impl From<Part> for SealedReportPart {
    fn from(part: Part) -> Self {
        Self { side: part.side, sealed: BASE64_STANDARD.encode(part.sealed) }
    }
}

fn envelope(text: &str) -> Result<Vec<u8>, Refusal> {
    BASE64_STANDARD.decode(text).map_err(|_| ReportRefusal::NotSealed.into())
}
