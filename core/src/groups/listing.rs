//! Posts that people have to do something with: those within somebody's reach, latest first, with the names of their groups.

use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait, QueryFilter as _, QueryOrder as _, QuerySelect as _, Value,
    sea_query::Expr,
};

use crate::{
    ids::{GroupId, MessageId},
    people::{
        Actor,
        authorization::{Action, Reach, reach},
        concerns,
    },
    refusal::{Fault, Refusal},
    storage::Store,
};

/// Most rows of a page.
pub const PAGE: u64 = 30;

/// A table of posts: one row for a message, in the reach of a village and its township.
pub(super) trait Posts: EntityTrait {
    const ID: Self::Column;
    const TOWNSHIP: Self::Column;
    const VILLAGE: Self::Column;
    const STATE: Self::Column;
    /// Whose post it is by name, if it is anybody's.
    const HANDLER: Option<Self::Column>;

    fn group(post: &Self::Model) -> GroupId;

    /// The matter of the post, where whom it concerns is kept out of it.
    fn subject_id() -> Option<Expr> {
        None
    }
}

/// A page of what the actor may do this with; `before` is the last one of the page before.
///
/// # Errors
/// `forbidden` for those who may do it with none; when the database does not answer.
pub(super) async fn page<E: Posts>(
    store: &Store,
    actor: &Actor,
    action: Action,
    state: Option<Value>,
    before: Option<MessageId>,
) -> Result<Vec<(E::Model, String)>, Fault> {
    let Reach::Staff(reach) = reach(actor, action) else { return Err(Refusal::forbidden().into()) };
    let mut within = Condition::any()
        .add(E::TOWNSHIP.is_in(reach.townships.iter().copied()))
        .add(E::VILLAGE.is_in(reach.units.iter().copied()));
    if let (Some(column), Some(handler)) = (E::HANDLER, reach.handler) {
        within = within.add(column.eq(handler));
    }
    let mut query = E::find().filter(within);
    if let Some(subject) = E::subject_id() {
        query = query.filter(concerns::not_concerning(&reach, subject));
    }
    if let Some(state) = state {
        query = query.filter(E::STATE.eq(state));
    }
    if let Some(before) = before {
        query = query.filter(E::ID.lt(before));
    }
    let posts = query.order_by_desc(E::ID).limit(PAGE).all(store.reader()).await?;
    let names = super::names(store.reader(), posts.iter().map(E::group)).await?;
    Ok(posts
        .into_iter()
        .map(|post| {
            let name = names.get(&E::group(&post)).cloned().unwrap_or_default();
            (post, name)
        })
        .collect())
}
