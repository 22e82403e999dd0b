use qingfeng_ballots::{Hex, messages};
use sea_orm::DeriveValueType;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use uuid::Uuid;

use crate::randomness::Randomness;

/// A ballot box's name in the protocol (`sid`): sixteen random bytes, written in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, DeriveValueType)]
pub struct BallotBoxId(pub Uuid);

impl BallotBoxId {
    /// A name that tells nothing.
    #[must_use]
    pub fn random(randomness: &dyn Randomness) -> Self {
        Self(Uuid::from_bytes(randomness.bytes()))
    }

    /// As the protocol spells it.
    #[must_use]
    pub fn sid(self) -> messages::SurveyId {
        Hex(self.0.into_bytes())
    }
}

impl From<messages::SurveyId> for BallotBoxId {
    fn from(sid: messages::SurveyId) -> Self {
        Self(Uuid::from_bytes(sid.0))
    }
}

impl std::fmt::Display for BallotBoxId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.sid().fmt(formatter)
    }
}

impl std::str::FromStr for BallotBoxId {
    type Err = NotASid;

    fn from_str(text: &str) -> Result<Self, NotASid> {
        Hex::parse(text).map(Self::from).ok_or(NotASid)
    }
}

/// Not thirty-two lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a ballot box")]
pub struct NotASid;

impl Serialize for BallotBoxId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.sid().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for BallotBoxId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl utoipa::PartialSchema for BallotBoxId {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^[0-9a-f]{32}$"))
            .examples(["5d1c0c7e9f3b4a2188d0e6a4b7c3f210"])
            .build()
            .into()
    }
}

impl utoipa::ToSchema for BallotBoxId {}

impl sea_orm::TryFromU64 for BallotBoxId {
    fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
        Err(sea_orm::DbErr::ConvertFromU64("BallotBoxId"))
    }
}
