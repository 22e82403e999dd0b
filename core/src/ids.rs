//! Identifiers: one type per kind of thing, so that a resident can never be mistaken for a member of staff.
//!
//! All are UUIDs of version 7: they are created outside the database and sort by age, which keyset paging relies on.
//! Rows whose age would tell something (anonymous answers) take [`random_id`] instead.

use std::sync::atomic::{AtomicU32, Ordering};

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
    // Ids of one process sort as they were made, also within a millisecond (RFC 9562 §6.2, method 1: a counter in the
    // highest of the random bits).
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let milliseconds = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    let mut bytes: [u8; 10] = randomness.bytes();
    let [_, first, second, third] = (COUNTER.fetch_add(1, Ordering::Relaxed) & 0x00ff_ffff).to_be_bytes();
    // Four of the 26 bits are overwritten with version and variant: 24 are left for the counter.
    bytes[0] = first >> 4;
    bytes[1] = (first << 4) | (second >> 4);
    bytes[2] = (second & 0x0f) << 2 | third >> 6;
    bytes[3] = third << 2;
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &bytes).into_uuid()
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
    /// Some days on which somebody is away.
    AbsenceId,
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
    /// An anonymous survey: one or more ballot boxes.
    SealedSurveyId,
    /// What came of it for one subject.
    SealedSurveyResultId,
    /// A sealed report; random, so that it tells no order.
    SealedReportId,
    /// A disciplinary officer's public key.
    ReportKeyId,
    /// A village chat group.
    GroupId,
    /// A message in the outbox.
    MessageId,
    /// A version of a township's own words for a kind of message.
    MessageTemplateId,
    /// An entry of a timeline, a measure, a progress report: a row that belongs to another one.
    EntryId,
    /// All refresh tokens that descend from one login.
    SessionId,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::SystemRandomness;

    #[test]
    fn identifiers_sort_as_they_were_made_also_within_a_millisecond() {
        let now = "2026-03-02T01:00:00Z".parse().unwrap();
        let made: Vec<_> = (0..10_000).map(|_| ComplaintId::new(&SystemRandomness, now)).collect();
        assert!(made.is_sorted());
        assert_eq!(made[0].0.get_version_num(), 7);
        let mut different = made.clone();
        different.dedup();
        assert_eq!(different.len(), made.len());
    }
}
