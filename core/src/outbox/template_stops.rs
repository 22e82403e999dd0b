//! Templates of subscribe messages that the platform does not take any more. Whether one is dead or only hiccups cannot be told
//! from one refusal: bursts of refusals are reported for templates that work. So a message is tried once more a while
//! later, and the template is used no more when it failed several people even so. What would go by it waits, and an
//! operator lets it be used again.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, OnConflict},
};
use sha2::{Digest as _, Sha256};

use super::{
    MessageState,
    consents::Consent,
    entity::{Column as MessageColumn, Entity as Messages},
};
use crate::{
    audit::AuditEntry,
    ids::{CountyId, EntryId},
    people::authorization::{Action, Subject, may},
    refusal::{Fault, Refusal},
    storage::{Command, Done, Outcome, Store, UnitOfWork},
    subject::{SubjectKind, SubjectRef},
};

/// A refused message is tried once more, not sooner than this: the longest burst that was reported lasted 13 minutes.
const ONCE_MORE_AFTER: TimeDelta = TimeDelta::minutes(10);
/// When it is tried: a little later than it may be.
const TRIED_AGAIN_AFTER: TimeDelta = TimeDelta::minutes(15);

mod refusals {
    use sea_orm::entity::prelude::*;

    use crate::ids::CountyId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "template_refusals")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub template_id: String,
        /// A digest: people are only counted here.
        #[sea_orm(primary_key, auto_increment = false)]
        pub phone: String,
        pub county_id: CountyId,
        /// A message was refused then, and is to be tried once more.
        pub refused_at: Option<DateTimeUtc>,
        /// One was refused twice.
        pub failed: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Templates that are used no more, one row each.
pub mod entity {
    use sea_orm::entity::prelude::*;

    use crate::ids::{CountyId, EntryId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "template_stops")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: EntryId,
        /// Whose message met with it; the templates are the whole installation's.
        pub county_id: CountyId,
        pub template_id: String,
        /// What the platform said.
        pub code: i32,
        /// How many people it failed; none where the platform said outright that it is gone.
        pub people: i32,
        pub stopped_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What becomes of a message whose template was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is tried once more then.
    OnceMore(DateTime<Utc>),
    Final,
    /// The template is used no more.
    Stopped,
}

/// What follows from one more refusal for a person, of whom the last refusal is known that was not tried again yet.
fn after_refusal(refused_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Verdict {
    match refused_at {
        None => Verdict::OnceMore(now + TRIED_AGAIN_AFTER),
        // Another message to the same person, in between.
        Some(before) if now < before + ONCE_MORE_AFTER => Verdict::OnceMore(before + TRIED_AGAIN_AFTER),
        Some(_) => Verdict::Final,
    }
}

fn phone(consent: &Consent) -> String {
    hex::encode(Sha256::digest(consent.open_id.as_bytes()))
}

/// The platform says that there is no such template. When it failed `most` different people, it is used no more.
///
/// # Errors
/// When the database does not answer.
pub async fn refused(
    store: &Store,
    county: CountyId,
    consent: &Consent,
    code: i32,
    most: u32,
) -> Result<Verdict, Fault> {
    let (template, phone) = (consent.template_id.clone(), phone(consent));
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                use refusals::{ActiveModel, Column, Entity};
                // Two bots that count at once must not both miss the last one.
                unit.one_at_a_time(&format!("template:{template}")).await?;
                let known = Entity::find_by_id((template.clone(), phone.clone())).one(unit.connection()).await?;
                let verdict = after_refusal(known.as_ref().and_then(|known| known.refused_at), unit.now());
                let first = known.as_ref().and_then(|known| known.refused_at).unwrap_or(unit.now());
                let failed = verdict == Verdict::Final || known.is_some_and(|known| known.failed);
                Entity::insert(ActiveModel {
                    template_id: Set(template.clone()),
                    phone: Set(phone),
                    county_id: Set(county),
                    refused_at: Set((verdict != Verdict::Final).then_some(first)),
                    failed: Set(failed),
                })
                .on_conflict(
                    OnConflict::columns([Column::TemplateId, Column::Phone])
                        .update_columns([Column::RefusedAt, Column::Failed])
                        .to_owned(),
                )
                .exec_without_returning(unit.connection())
                .await?;
                if verdict != Verdict::Final {
                    return Ok(verdict);
                }
                let failed = Entity::find()
                    .filter(Column::TemplateId.eq(template.as_str()))
                    .filter(Column::Failed.eq(true))
                    .count(unit.connection())
                    .await?;
                if failed < u64::from(most.max(1)) {
                    return Ok(Verdict::Final);
                }
                stop(unit, county, template, code, i32::try_from(failed).unwrap_or(i32::MAX)).await?;
                Ok(Verdict::Stopped)
            })
        })
        .await
}

/// The platform says outright that it took the template away.
///
/// # Errors
/// When the database does not answer.
pub async fn taken_away(store: &Store, county: CountyId, template: &str, code: i32) -> Result<(), Fault> {
    let template = template.to_owned();
    store.housekeeping(move |unit| Box::pin(stop(unit, county, template, code, 0))).await
}

async fn stop(unit: &UnitOfWork, county: CountyId, template: String, code: i32, people: i32) -> Result<(), Fault> {
    tracing::error!(template, code, people, "a template is used no more");
    let stop = entity::ActiveModel {
        id: Set(EntryId::new(unit.randomness(), unit.now())),
        county_id: Set(county),
        template_id: Set(template),
        code: Set(code),
        people: Set(people),
        stopped_at: Set(unit.now()),
    };
    let once = OnConflict::column(entity::Column::TemplateId).do_nothing().to_owned();
    entity::Entity::insert(stop).on_conflict(once).exec_without_returning(unit.connection()).await?;
    Ok(())
}

/// A message arrived by this template: what was counted against it is void.
///
/// # Errors
/// When the database does not answer.
pub async fn works(store: &Store, template: &str) -> Result<(), Fault> {
    use refusals::{Column, Entity};
    // Looked at without a transaction first: there is seldom anything.
    let counted = Entity::find().filter(Column::TemplateId.eq(template));
    if counted.one(store.reader()).await?.is_none() {
        return Ok(());
    }
    let template = template.to_owned();
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                Entity::delete_many().filter(Column::TemplateId.eq(template)).exec(unit.connection()).await?;
                Ok(())
            })
        })
        .await
}

/// The templates that are used no more.
///
/// # Errors
/// When the database does not answer.
pub async fn in_force(connection: &impl ConnectionTrait) -> Result<Vec<entity::Model>, Fault> {
    Ok(entity::Entity::find().order_by_asc(entity::Column::StoppedAt).all(connection).await?)
}

/// Their names at the platform.
///
/// # Errors
/// When the database does not answer.
pub async fn stopped(connection: &impl ConnectionTrait) -> Result<HashSet<String>, Fault> {
    Ok(in_force(connection).await?.into_iter().map(|stop| stop.template_id).collect())
}

/// Lets a template be used again; what waited for one is due now.
///
/// # Errors
/// `forbidden`; `not_found` when it is used already.
pub async fn resume(store: &Store, command: &Command, county: CountyId, id: EntryId) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    may(&actor, Action::SettleAlarm, &Subject { county: Some(county), ..Subject::default() })?;
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let stop = entity::Entity::find_by_id(id).one(unit.connection()).await?;
                let stop = stop.ok_or_else(Refusal::not_found)?;
                entity::Entity::delete_by_id(id).exec(unit.connection()).await?;
                refusals::Entity::delete_many()
                    .filter(refusals::Column::TemplateId.eq(stop.template_id.as_str()))
                    .exec(unit.connection())
                    .await?;
                let_go(unit).await?;
                let about = SubjectRef { kind: SubjectKind::Sending, id: id.0 };
                let entry = AuditEntry::new("template_resumed", about).changing(&stop.template_id, &());
                Ok(Done::new((), entry))
            })
        })
        .await
}

/// A template fits the configuration again: what waited for one is due now.
///
/// # Errors
/// When the database does not answer.
pub async fn try_again(store: &Store) -> Result<(), Fault> {
    // Looked at without a transaction first: there is seldom anything.
    if waiting(store.reader()).await? == 0 {
        return Ok(());
    }
    store.housekeeping(|unit| Box::pin(let_go(unit))).await
}

/// What waits for another one as well waits again.
async fn let_go(unit: &UnitOfWork) -> Result<(), Fault> {
    Messages::update_many()
        .col_expr(MessageColumn::State, Expr::value(MessageState::Pending))
        .col_expr(MessageColumn::NotBefore, Expr::value(unit.now()))
        .filter(MessageColumn::State.eq(MessageState::Stopped))
        .exec(unit.connection())
        .await?;
    Ok(())
}

/// How many messages wait for a template.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting(connection: &impl ConnectionTrait) -> Result<u64, Fault> {
    Ok(Messages::find().filter(MessageColumn::State.eq(MessageState::Stopped)).count(connection).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_message_is_tried_once_more_and_not_at_once() {
        let now: DateTime<Utc> = "2026-03-02T01:00:00Z".parse().unwrap();
        let minutes = TimeDelta::minutes;
        assert_eq!(after_refusal(None, now), Verdict::OnceMore(now + minutes(15)));
        assert_eq!(after_refusal(Some(now), now + minutes(9)), Verdict::OnceMore(now + minutes(15)));
        assert_eq!(after_refusal(Some(now), now + minutes(10)), Verdict::Final);
    }
}
