use sea_orm::entity::prelude::*;

use crate::{
    ids::{CountyId, EntryId},
    people::PersonKind,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_links")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EntryId,
    pub county_id: CountyId,
    /// The account, …
    pub app_id: String,
    /// … and what the person is called there.
    pub open_id: String,
    /// The same at all accounts of one owner; none where the platform does not tell it.
    pub union_id: Option<String>,
    pub person_kind: PersonKind,
    pub person_id: Uuid,
    pub created_at: DateTimeUtc,
    /// When the person gave the chat up although the union id says whose it is.
    pub ended_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
