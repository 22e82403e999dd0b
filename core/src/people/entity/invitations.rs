use sea_orm::entity::prelude::*;

use crate::ids::{CountyId, ResidentId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub code_digest: Vec<u8>,
    pub county_id: CountyId,
    pub resident_id: ResidentId,
    pub expires_at: DateTimeUtc,
    /// When it bound a phone; from then on it is good for nothing.
    pub used_at: Option<DateTimeUtc>,
    /// When it signed a browser in; until it is used up, it still binds a phone.
    pub used_in_browser_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
