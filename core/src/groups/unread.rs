//! Posts that no second person reads.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{
    ids::MessageId,
    outbox::{MessageState, entity as messages},
    refusal::Fault,
    storage::UnitOfWork,
};

/// Gives up waiting for a second person: the office sees the post among what was not delivered. It may still be let go.
///
/// # Errors
/// When the database does not answer.
pub async fn give_up(unit: &UnitOfWork, id: MessageId) -> Result<(), Fault> {
    messages::Entity::update_many()
        .col_expr(messages::Column::State, Expr::value(MessageState::Parked))
        .col_expr(messages::Column::ParkedReason, Expr::value("一直没有第二个人看过这条公示"))
        .filter(messages::Column::Id.eq(id))
        // Somebody may have let it go just now.
        .filter(messages::Column::State.eq(MessageState::Held))
        .exec(unit.connection())
        .await?;
    Ok(())
}
