//! What goes into groups, whoever wrote it: whoever may take a post back finds it here, also one that nobody had to read first.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, sea_query::Expr};

use super::{entity as groups, retraction};
use crate::{
    ids::{GroupId, MessageId},
    outbox::{
        MessageState,
        entity::{Column, Entity, Model as Message},
    },
    people::{
        Actor,
        authorization::{Action, Reach, StaffReach, reach},
        concerns,
    },
    refusal::{Fault, Refusal},
    storage::Store,
};

/// Most rows of a page.
pub const PAGE: u64 = 30;

/// A post with the name of its group.
#[derive(Clone, Debug)]
pub struct SentPost {
    pub message: Message,
    pub group: String,
}

impl SentPost {
    /// Whether whoever finds it here may take it back: not a second time, nor what the product itself says.
    #[must_use]
    pub fn can_be_retracted(&self) -> bool {
        retraction::may_be_retracted(&self.message).is_ok()
    }
}

/// The posts that are in groups or on their way there, and those that were taken back, of the groups whose posts the actor may take
/// back, but for those about matters that concern him; latest first; `before` is the last one of the page before.
///
/// # Errors
/// `forbidden` for those who take none back; when the database does not answer.
pub async fn list(store: &Store, actor: &Actor, before: Option<MessageId>) -> Result<Vec<SentPost>, Fault> {
    let Reach::Staff(reach) = reach(actor, Action::RetractPost) else { return Err(Refusal::forbidden().into()) };
    let of_villages = groups::Entity::find()
        .filter(groups::Column::VillageId.is_in(reach.units.iter().copied()))
        .all(store.reader())
        .await?;
    let of_villages: Vec<_> = of_villages.into_iter().map(|group| group.id).collect();
    let messages = list_query(&reach, &of_villages, before).all(store.reader()).await?;
    let names = super::names(store.reader(), messages.iter().map(|message| GroupId(message.recipient_id))).await?;
    Ok(messages
        .into_iter()
        .map(|message| {
            let group = names.get(&GroupId(message.recipient_id)).cloned().unwrap_or_default();
            SentPost { message, group }
        })
        .collect())
}

/// A page of the posts of the townships in reach, and of these groups. What was withdrawn before it could have arrived, and not
/// because somebody took it back, is none.
#[must_use]
pub fn list_query(reach: &StaffReach, of_villages: &[GroupId], before: Option<MessageId>) -> Select<Entity> {
    // A bound that nothing fits would keep the engines from the index.
    let mut within = Condition::any();
    if !reach.townships.is_empty() || of_villages.is_empty() {
        within = within.add(Column::TownshipId.is_in(reach.townships.iter().copied()));
    }
    if !of_villages.is_empty() {
        within = within.add(Column::RecipientId.is_in(of_villages.iter().map(|group| group.0)));
    }
    let still_matters = Condition::any()
        .add(Column::State.ne(MessageState::Withdrawn))
        .add(Column::MayHaveArrived.eq(true))
        .add(Column::RetractedAt.is_not_null());
    let mut query = Entity::find()
        .filter(within)
        // In the words of the index: the engines do not look into values that are bound.
        .filter(Expr::cust("outbox_messages.recipient_kind = 'group'"))
        .filter(still_matters)
        .filter(concerns::not_concerning(reach, Expr::col((Entity, Column::SubjectId))));
    if let Some(before) = before {
        query = query.filter(Column::Id.lt(before));
    }
    query.order_by_desc(Column::Id).limit(PAGE)
}
