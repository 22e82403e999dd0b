//! Identifiers: one type per kind of thing, so that a resident can never be mistaken for a member of staff.
//!
//! All are UUIDs of version 7: they are created outside the database and sort by age, which keyset paging relies on.
//! Rows whose age would tell something (anonymous answers) take [`random_id`] instead.

use chrono::{DateTime, Utc};
use sea_orm::DeriveValueType;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::randomness::Randomness;

/// An identifier that tells nothing, not even when it was made.
#[must_use]
pub fn random_id(randomness: &dyn Randomness) -> Uuid {
    uuid::Builder::from_random_bytes(randomness.bytes()).into_uuid()
}

fn ordered_id(randomness: &dyn Randomness, now: DateTime<Utc>) -> Uuid {
    let milliseconds = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &randomness.bytes()).into_uuid()
}

macro_rules! identifiers {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema, DeriveValueType)]
        #[serde(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh identifier that sorts after those made earlier (to the millisecond).
            #[must_use]
            pub fn new(randomness: &dyn Randomness, now: DateTime<Utc>) -> Self {
                Self(ordered_id(randomness, now))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Uuid {
                id.0
            }
        }

        impl sea_orm::TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    )+};
}

identifiers!(
    /// A county: the partition key of every table.
    CountyId,
    /// A county, township, village or department.
    OrganizationId,
    StaffId,
    /// One term of one person in one office.
    PostId,
    ResidentId,
    ComplaintId,
    ProblemId,
    RectificationId,
    CampaignId,
    /// One occurrence of a recurring duty.
    DutyId,
    DeadlineId,
    ExtensionId,
    FileId,
    SurveyId,
    /// A village chat group.
    GroupId,
    /// A message in the outbox.
    MessageId,
    /// An entry of a timeline, a measure, a progress report: a row that belongs to another one.
    EntryId,
    /// All refresh tokens that descend from one login.
    SessionId,
);
