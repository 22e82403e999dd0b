//! What the platforms refuse us for reasons that only whoever runs the installation can mend: one alarm for each interface, from
//! the first refusal until it works again.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait as _, QueryFilter, QueryOrder,
    sea_query::{Expr, OnConflict},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    groups,
    ids::{CountyId, EntryId, GroupId},
    people::{
        Actor,
        authorization::{Action, Reach, reach},
    },
    refusal::{Fault, Refusal},
    storage::{Store, UnitOfWork},
};

/// Accounts, quotas and permissions belong to no county.
pub const INSTALLATION: CountyId = CountyId(Uuid::nil());

/// What the clock's alarm stands under.
pub const CLOCK: &str = "clock";

/// What is wrong.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    sea_orm::EnumIter,
    sea_orm::DeriveActiveEnum,
    Serialize,
    ToSchema,
    strum::AsRefStr,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AlarmKind {
    /// Account, secret or address.
    BadConfig,
    /// Called as often as it may be called a day.
    DailyQuota,
    /// The account may not use it.
    Permission,
    /// A group's robot or the group itself is gone.
    ChannelGone,
    /// Refused with a code that we do not know.
    UnknownCode,
    /// Our clock and a platform's are apart.
    Clock,
}

/// The table.
pub mod entity {
    use sea_orm::entity::prelude::*;

    use super::AlarmKind;
    use crate::ids::{CountyId, EntryId, OrganizationId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "platform_alarms")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: EntryId,
        /// [`super::INSTALLATION`] but for groups.
        pub county_id: CountyId,
        pub township_id: Option<OrganizationId>,
        /// The platform, the account and the path; `group:` and its id; or [`super::CLOCK`]. Never a secret.
        pub interface: String,
        pub kind: AlarmKind,
        /// What the platform said last; none where it says no more than that it is gone.
        pub code: i32,
        pub since: DateTimeUtc,
        pub last_at: DateTimeUtc,
        pub times: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An interface was refused once more.
///
/// # Errors
/// When the database does not answer.
pub async fn raise(unit: &UnitOfWork, interface: String, kind: AlarmKind, code: i32) -> Result<(), Fault> {
    put(unit, INSTALLATION, None, interface, kind, code).await
}

/// The way into a group is gone.
///
/// # Errors
/// When the database does not answer.
pub async fn group_gone(unit: &UnitOfWork, group: &groups::entity::Model) -> Result<(), Fault> {
    let interface = of_group(group.id);
    put(unit, group.county_id, Some(group.township_id), interface, AlarmKind::ChannelGone, 0).await
}

/// What a group's alarm stands under.
#[must_use]
pub fn of_group(group: GroupId) -> String {
    format!("group:{group}")
}

async fn put(
    unit: &UnitOfWork,
    county: CountyId,
    township: Option<crate::ids::OrganizationId>,
    interface: String,
    kind: AlarmKind,
    code: i32,
) -> Result<(), Fault> {
    use entity::{ActiveModel, Column, Entity};
    let once_more = OnConflict::column(Column::Interface)
        .update_columns([Column::Kind, Column::Code, Column::LastAt])
        .value(Column::Times, Expr::col((Entity, Column::Times)).add(1))
        .to_owned();
    let alarm = ActiveModel {
        id: Set(EntryId::new(unit.randomness(), unit.now())),
        county_id: Set(county),
        township_id: Set(township),
        interface: Set(interface),
        kind: Set(kind),
        code: Set(code),
        since: Set(unit.now()),
        last_at: Set(unit.now()),
        times: Set(1),
    };
    Entity::insert(alarm).on_conflict(once_more).exec_without_returning(unit.connection()).await?;
    Ok(())
}

/// An interface works: its alarm is over.
///
/// # Errors
/// When the database does not answer.
pub async fn works(store: &Store, interface: &str) -> Result<(), Fault> {
    // Looked at without a transaction first: there is seldom anything.
    let of = entity::Column::Interface.eq(interface);
    if entity::Entity::find().filter(of.clone()).one(store.reader()).await?.is_none() {
        return Ok(());
    }
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                entity::Entity::delete_many().filter(of).exec(unit.connection()).await?;
                Ok(())
            })
        })
        .await
}

/// Everything that is open, the oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn all(connection: &impl ConnectionTrait) -> Result<Vec<entity::Model>, Fault> {
    Ok(entity::Entity::find().order_by_asc(entity::Column::Since).all(connection).await?)
}

/// What is open and within the actor's reach: the installation's, and those of the actor's groups.
///
/// # Errors
/// `forbidden` for those who see no alarms; when the database does not answer.
pub async fn within_reach(store: &Store, actor: &Actor) -> Result<Vec<entity::Model>, Fault> {
    use entity::Column;
    let Reach::Staff(reach) = reach(actor, Action::ViewAlarms) else { return Err(Refusal::forbidden().into()) };
    let mut within = Condition::any()
        .add(Column::CountyId.eq(INSTALLATION))
        .add(Column::TownshipId.is_in(reach.townships.iter().copied()));
    if reach.whole_county {
        within = within.add(Column::CountyId.eq(reach.county));
    }
    Ok(entity::Entity::find().filter(within).order_by_asc(Column::Since).all(store.reader()).await?)
}

/// What is wrong with whom, since when: a line for the machines that watch. No secrets and no names.
#[must_use]
pub fn line(alarm: &entity::Model) -> String {
    let (since, kind): (DateTime<Utc>, _) = (alarm.since, alarm.kind.as_ref());
    format!("{} {kind} ({}) {} times since {}", alarm.interface, alarm.code, alarm.times, since.to_rfc3339())
}
