use sea_orm::entity::prelude::*;

use crate::ids::{CountyId, StaffId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "staff")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StaffId,
    pub county_id: CountyId,
    pub name: String,
    pub login: String,
    /// Argon2id, PHC string.
    pub password_hash: String,
    pub totp_secret_sealed: Option<Vec<u8>>,
    pub totp_last_step: i64,
    pub open_id: Option<String>,
    pub wecom_user_id: Option<String>,
    pub active: bool,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
