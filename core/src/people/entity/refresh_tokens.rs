use sea_orm::entity::prelude::*;

use crate::{
    ids::{CountyId, SessionId},
    people::PersonKind,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_tokens")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// SHA-256 of the token: a copy of the database opens no session.
    pub digest: Vec<u8>,
    pub county_id: CountyId,
    pub session_id: SessionId,
    pub person_kind: PersonKind,
    pub person_id: Uuid,
    pub expires_at: DateTimeUtc,
    pub used_at: Option<DateTimeUtc>,
    pub revoked_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
