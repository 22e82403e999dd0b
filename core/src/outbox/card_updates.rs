//! A card at WeCom that was answered says so: the request to change it waits here until the platform took it, or does not take
//! it any more. Nothing depends on it; who does not see it sees the state in the app.

use chrono::TimeDelta;
use sea_orm::{ActiveValue::Set, entity::prelude::*, sea_query::OnConflict};

use crate::{
    ids::{CountyId, random_id},
    refusal::Fault,
    storage::UnitOfWork,
};

/// The platform takes a tap's code for 72 hours.
const CODE_LASTS: TimeDelta = TimeDelta::hours(72);

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "card_updates")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub county_id: CountyId,
    /// Who tapped, by the name at WeCom.
    pub user_id: String,
    /// Good once.
    pub response_code: String,
    /// What the button says from now on.
    pub words: String,
    pub not_before: DateTimeUtc,
    /// The platform does not take it afterwards.
    pub expires_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Lets the card of a tap say this. A code that is there already stays as it is.
///
/// # Errors
/// When the database does not answer.
pub async fn enqueue(
    unit: &UnitOfWork,
    county: CountyId,
    user_id: String,
    response_code: String,
    words: &str,
) -> Result<(), Fault> {
    let update = ActiveModel {
        id: Set(random_id(unit.randomness())),
        county_id: Set(county),
        user_id: Set(user_id),
        response_code: Set(response_code),
        words: Set(words.to_owned()),
        not_before: Set(unit.now()),
        expires_at: Set(unit.now() + CODE_LASTS),
    };
    let once = OnConflict::column(Column::ResponseCode).do_nothing().to_owned();
    Entity::insert(update).on_conflict(once).exec_without_returning(unit.connection()).await?;
    Ok(())
}
