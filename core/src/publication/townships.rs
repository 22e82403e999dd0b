//! Where somebody without an account begins to read: the townships whose villages publish here.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    ids::OrganizationId,
    people::{OrganizationKind, entity::organizations},
    refusal::Fault,
};

/// Most townships of a page; more than any county has.
pub const TOWNSHIPS_PAGE: u64 = 100;

/// A township of the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct TownshipLine {
    pub id: OrganizationId,
    pub name: String,
}

/// The townships, a page of [`TOWNSHIPS_PAGE`] after the last one of the page before.
///
/// # Errors
/// When the database does not answer.
pub async fn townships(
    connection: &impl ConnectionTrait,
    after: Option<OrganizationId>,
) -> Result<Vec<TownshipLine>, Fault> {
    let mut query = organizations::Entity::find().filter(organizations::Column::Kind.eq(OrganizationKind::Township));
    if let Some(after) = after {
        query = query.filter(organizations::Column::Id.gt(after));
    }
    let rows = query.order_by_asc(organizations::Column::Id).limit(TOWNSHIPS_PAGE).all(connection).await?;
    Ok(rows.into_iter().map(|row| TownshipLine { id: row.id, name: row.name }).collect())
}
