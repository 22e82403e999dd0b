//! Residents who want no messages.

use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};

use crate::{ids::CountyId, ids::ResidentId, refusal::Fault, storage::Store};

mod entity {
    use sea_orm::entity::prelude::*;

    use crate::ids::{CountyId, ResidentId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "message_opt_outs")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub resident_id: ResidentId,
        pub county_id: CountyId,
        pub since: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// From now on the resident gets no messages.
///
/// # Errors
/// When the database does not answer.
pub async fn opt_out(store: &Store, county: CountyId, resident: ResidentId) -> Result<(), Fault> {
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let row =
                    entity::ActiveModel { resident_id: Set(resident), county_id: Set(county), since: Set(unit.now()) };
                entity::Entity::insert_many([row])
                    .on_conflict(OnConflict::column(entity::Column::ResidentId).do_nothing().to_owned())
                    .exec_without_returning(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await
}

/// The resident gets messages again.
///
/// # Errors
/// When the database does not answer.
pub async fn opt_in(store: &Store, resident: ResidentId) -> Result<(), Fault> {
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                entity::Entity::delete_by_id(resident).exec(unit.connection()).await?;
                Ok(())
            })
        })
        .await
}

/// # Errors
/// When the database does not answer.
pub async fn has_opted_out(store: &Store, resident: ResidentId) -> Result<bool, Fault> {
    Ok(entity::Entity::find_by_id(resident).one(store.reader()).await?.is_some())
}
