//! How many subscribe messages a person still accepts, counted per phone and template: one accept is one message.
//!
//! The same accept is told twice, by the mini-program and by the platform, and either may be lost: each teller has a
//! count of its own, and the higher one holds. The ledger keeps us from asking the platform in vain; what the platform
//! says when a message is sent is the truth, and it corrects the ledger.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};

use crate::{
    ids::CountyId,
    refusal::Fault,
    storage::{Store, UnitOfWork},
};
use entity::{ActiveModel, Column, Entity};

mod entity {
    use sea_orm::entity::prelude::*;

    use crate::ids::CountyId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "message_consents")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub open_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub template_id: String,
        pub county_id: CountyId,
        pub told_by_app: i32,
        pub told_by_platform: i32,
        pub used: i32,
        pub changed_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who tells of an accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teller {
    /// The mini-program, after it asked. May be forged: it only makes us ask the platform in vain.
    App,
    /// The platform's event.
    Platform,
}

/// How long an accept lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// For one message.
    Once,
    /// Until it is withdrawn: templates of offline public services.
    LongTerm,
}

/// A phone and a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    pub open_id: String,
    pub template_id: String,
}

impl Consent {
    pub fn new(open_id: impl Into<String>, template_id: impl Into<String>) -> Self {
        Self { open_id: open_id.into(), template_id: template_id.into() }
    }

    fn is_this(&self) -> sea_orm::Condition {
        sea_orm::Condition::all()
            .add(Column::OpenId.eq(self.open_id.as_str()))
            .add(Column::TemplateId.eq(self.template_id.as_str()))
    }
}

/// How often it was accepted, by whoever knows of more.
fn accepts() -> Expr {
    let (app, platform) = (Expr::col(Column::ToldByApp), Expr::col(Column::ToldByPlatform));
    Expr::case(app.clone().gt(platform.clone()), app).finally(platform).into()
}

/// The person accepted so many more messages.
///
/// # Errors
/// When the database does not answer.
pub async fn accepted(
    store: &Store,
    county: CountyId,
    consent: Consent,
    teller: Teller,
    times: u16,
) -> Result<(), Fault> {
    let times = i32::from(times);
    let (told, by_app, by_platform) = match teller {
        Teller::App => (Column::ToldByApp, times, 0),
        Teller::Platform => (Column::ToldByPlatform, 0, times),
    };
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let row = ActiveModel {
                    open_id: Set(consent.open_id),
                    template_id: Set(consent.template_id),
                    county_id: Set(county),
                    told_by_app: Set(by_app),
                    told_by_platform: Set(by_platform),
                    used: Set(0),
                    changed_at: Set(unit.now()),
                };
                let counted = OnConflict::columns([Column::OpenId, Column::TemplateId])
                    .value(told, Expr::col((Entity, told)).add(times))
                    .value(Column::ChangedAt, unit.now())
                    .to_owned();
                Entity::insert(row).on_conflict(counted).exec_without_returning(unit.connection()).await?;
                Ok(())
            })
        })
        .await
}

/// Uses one accept up, in the transaction that lets a message leave; false when none is left. Of two that come at once for
/// the last one, one gets it.
///
/// # Errors
/// When the database does not answer.
pub async fn take(unit: &UnitOfWork, consent: &Consent, validity: Validity) -> Result<bool, Fault> {
    let uses = match validity {
        Validity::Once => 1,
        Validity::LongTerm => 0,
    };
    let taken = Entity::update_many()
        .col_expr(Column::Used, Expr::col(Column::Used).add(uses))
        .col_expr(Column::ChangedAt, Expr::value(unit.now()))
        .filter(consent.is_this())
        .filter(accepts().gt(Expr::col(Column::Used)))
        .exec(unit.connection())
        .await?;
    Ok(taken.rows_affected == 1)
}

/// The message was certainly not delivered: the accept is still there.
///
/// # Errors
/// When the database does not answer.
pub async fn give_back(store: &Store, consent: Consent, validity: Validity) -> Result<(), Fault> {
    if validity == Validity::LongTerm {
        return Ok(());
    }
    store.housekeeping(move |unit| Box::pin(async move { returned(unit, &consent).await })).await
}

/// The same in the transaction that learns of it. Of a long-term accept nothing was used, and nothing comes back.
///
/// # Errors
/// When the database does not answer.
pub async fn returned(unit: &UnitOfWork, consent: &Consent) -> Result<(), Fault> {
    Entity::update_many()
        .col_expr(Column::Used, Expr::col(Column::Used).sub(1))
        .filter(consent.is_this())
        .filter(Column::Used.gt(0))
        .exec(unit.connection())
        .await?;
    Ok(())
}

/// The platform says that no accept is left, or the person switched the template off: what anybody counted is void.
///
/// # Errors
/// When the database does not answer.
pub async fn none_left(store: &Store, consent: Consent) -> Result<(), Fault> {
    store.housekeeping(move |unit| Box::pin(async move { void(unit, &consent, None).await })).await
}

/// The same as of an instant, in the transaction that learns of it: an event may be worked off late, and what was accepted
/// after it holds.
///
/// # Errors
/// When the database does not answer.
pub async fn none_left_as_of(unit: &UnitOfWork, consent: &Consent, instant: DateTime<Utc>) -> Result<(), Fault> {
    void(unit, consent, Some(instant)).await
}

async fn void(unit: &UnitOfWork, consent: &Consent, as_of: Option<DateTime<Utc>>) -> Result<(), Fault> {
    let mut update = Entity::update_many()
        .col_expr(Column::ToldByApp, Expr::value(0))
        .col_expr(Column::ToldByPlatform, Expr::value(0))
        .col_expr(Column::Used, Expr::value(0))
        .col_expr(Column::ChangedAt, Expr::value(unit.now()))
        .filter(consent.is_this());
    if let Some(as_of) = as_of {
        update = update.filter(Column::ChangedAt.lte(as_of));
    }
    update.exec(unit.connection()).await?;
    Ok(())
}

/// Accepts left.
///
/// # Errors
/// When the database does not answer.
pub async fn left(store: &Store, consent: &Consent) -> Result<u32, Fault> {
    let row = Entity::find().filter(consent.is_this()).one(store.reader()).await?;
    Ok(row.map_or(0, |row| u32::try_from(Ord::max(row.told_by_app, row.told_by_platform) - row.used).unwrap_or(0)))
}
