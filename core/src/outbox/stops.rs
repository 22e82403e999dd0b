//! The stop switch: whoever runs the installation stops all sending at once, says why, and lets it go on. What is due
//! meanwhile waits in the outbox; the next cards say it together.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};

use crate::{
    audit::AuditEntry,
    ids::{CountyId, EntryId},
    people::authorization::{Action, Subject, may},
    refusal::{Fault, FieldFault, Refusal, RefusalKind},
    storage::{Command, Done, Outcome, Store},
    subject::{SubjectKind, SubjectRef},
};
use entity::{ActiveModel, Column, Entity, Model};

/// Longest reason, in characters.
pub const LONGEST_REASON: usize = 200;

mod entity {
    use sea_orm::entity::prelude::*;

    use crate::ids::{CountyId, EntryId, StaffId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sending_stops")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: EntryId,
        pub county_id: CountyId,
        pub reason: String,
        pub stopped_at: DateTimeUtc,
        /// None = from the command line.
        pub stopped_by: Option<StaffId>,
        pub ended_at: Option<DateTimeUtc>,
        pub ended_by: Option<StaffId>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A stop that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    pub reason: String,
    pub since: DateTime<Utc>,
}

fn subject(id: EntryId) -> SubjectRef {
    SubjectRef { kind: SubjectKind::Sending, id: id.0 }
}

async fn latest(connection: &impl ConnectionTrait) -> Result<Option<Model>, Fault> {
    Ok(Entity::find().filter(Column::EndedAt.is_null()).order_by_desc(Column::Id).one(connection).await?)
}

/// The stop in force, of the whole installation.
///
/// # Errors
/// When the database does not answer.
pub async fn in_force(connection: &impl ConnectionTrait) -> Result<Option<Stop>, Fault> {
    Ok(latest(connection).await?.map(|stop| Stop { reason: stop.reason, since: stop.stopped_at }))
}

/// Stops all sending.
///
/// # Errors
/// `forbidden`; `sending_stopped` when it is stopped already; a reason that is missing or too long.
pub async fn stop(store: &Store, command: &Command, county: CountyId, reason: &str) -> Result<Outcome<()>, Fault> {
    let (actor, reason) = (command.actor.clone(), reason.trim().to_owned());
    may(&actor, Action::ManageSystem, &Subject { county: Some(county), ..Subject::default() })?;
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        let sentence = format!("请写明为什么停止发送，最多{LONGEST_REASON}个字。");
        return Err(Refusal::invalid(vec![FieldFault::new("/reason", sentence)]).into());
    }
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                if latest(unit.connection()).await?.is_some() {
                    let sentence = "消息已经停止发送了。";
                    return Err(Refusal::new(RefusalKind::Conflict, "sending_stopped", sentence).into());
                }
                let id = EntryId::new(unit.randomness(), unit.now());
                unit.later(&Entity::insert(ActiveModel {
                    id: Set(id),
                    county_id: Set(county),
                    reason: Set(reason),
                    stopped_at: Set(unit.now()),
                    stopped_by: Set(actor.staff().map(|staff| staff.id)),
                    ended_at: Set(None),
                    ended_by: Set(None),
                }));
                Ok(Done::new((), AuditEntry::new("sending_stopped", subject(id))))
            })
        })
        .await
}

/// Lets sending go on.
///
/// # Errors
/// `forbidden`; `sending_not_stopped`.
pub async fn resume(store: &Store, command: &Command, county: CountyId) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    may(&actor, Action::ManageSystem, &Subject { county: Some(county), ..Subject::default() })?;
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let Some(stop) = latest(unit.connection()).await? else {
                    let sentence = "消息没有停止发送。";
                    return Err(Refusal::new(RefusalKind::Conflict, "sending_not_stopped", sentence).into());
                };
                unit.later(
                    &Entity::update_many()
                        .col_expr(Column::EndedAt, Expr::value(unit.now()))
                        .col_expr(Column::EndedBy, Expr::value(actor.staff().map(|staff| staff.id.0)))
                        // Also one that came in at the same instant.
                        .filter(Column::EndedAt.is_null()),
                );
                Ok(Done::new((), AuditEntry::new("sending_resumed", subject(stop.id))))
            })
        })
        .await
}
