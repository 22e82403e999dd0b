//! What a run writes into the outbox leaves when the run is over, all at once: several bots look at the outbox while one schedules,
//! and would else send one person a card for each page that is written.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use qingfeng_core::{
    ids::CountyId,
    outbox::{
        self, MessageState, Notice,
        entity::{Column, Entity},
    },
    refusal::Fault,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use crate::Bot;

/// Longer than a run takes. What a bot wrote that died in the middle of it leaves then by itself.
const KEPT_BACK: TimeDelta = TimeDelta::minutes(5);

/// What one run writes for one county.
pub(super) struct Outgoing<'a> {
    bot: &'a Bot,
    county: CountyId,
    kept_back_until: DateTime<Utc>,
    has_any: AtomicBool,
}

impl<'a> Outgoing<'a> {
    pub(super) fn begin(bot: &'a Bot, county: CountyId) -> Self {
        let kept_back_until = bot.store.clock().now() + KEPT_BACK;
        Self { bot, county, kept_back_until, has_any: AtomicBool::new(false) }
    }

    /// Writes messages that leave when the run is over.
    pub(super) async fn add(&self, mut notices: Vec<Notice>) -> Result<(), Fault> {
        for notice in &mut notices {
            notice.not_before = notice.not_before.or(Some(self.kept_back_until));
        }
        let county = self.county;
        let written = self.bot.store.housekeeping(move |unit| Box::pin(outbox::enqueue(unit, county, notices))).await?;
        if written > 0 {
            self.has_any.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The run is over.
    pub(super) async fn let_go(self) -> Result<(), Fault> {
        if !self.has_any.into_inner() {
            return Ok(());
        }
        let (county, kept_back_until) = (self.county, self.kept_back_until);
        self.bot
            .store
            .housekeeping(move |unit| {
                Box::pin(async move {
                    Entity::update_many()
                        .col_expr(Column::NotBefore, Expr::value(unit.now()))
                        .filter(Column::State.eq(MessageState::Pending))
                        .filter(Column::NotBefore.eq(kept_back_until))
                        .filter(Column::CountyId.eq(county))
                        .exec(unit.connection())
                        .await?;
                    Ok(())
                })
            })
            .await
    }
}
