//! Photos (8.1): taken as phones send them, stripped of everything but the picture, kept in three sizes. Voice notes as they
//! come, and what a platform holds for us until it is fetched.

mod attaching;
mod awaited;
pub mod entity;
mod photo;
mod recording;
mod upload;

use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use attaching::{attach, attached_to};
pub use awaited::{Awaited, MediaKind, PlatformMedia, claim, give_up, take};
pub(crate) use awaited::{expect, still_awaited};
pub use photo::{Limits, PhotoRefusal, Rendition, Renditions, process};
pub use recording::{RecordingRefusal, recording, recordings_of, seconds};
pub use upload::{Darkroom, Uploaded, read, upload};

/// What a photo shows of the thing it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// With the complaint, by the resident: seen by those who work on it, never in public.
    Complaint,
    /// With the answer.
    Answer,
    /// Before the work, public.
    Before,
    /// After the work, public.
    After,
    /// That a duty was done.
    Evidence,
}
