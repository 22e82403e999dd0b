//! Keeping the calendar: versions of notices in the database, open deadlines worked out again when one arrives.

use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

use chrono::Utc;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde::{Deserialize, Serialize};

use super::{Calendar, DayRule, Limit, WorkedOut, YearNotice};
use crate::{
    audit::{AuditEntry, digest_of},
    deadlines::{
        self, DeadlineStatus,
        entity::{changes, deadlines as deadline_rows},
    },
    ids::{CountyId, DeadlineId, EntryId},
    outbox::{Notice, Recipient},
    people::{
        Actor,
        authorization::{Action, Subject, may},
    },
    refusal::Fault,
    storage::{Command, Done, Store, UnitOfWork},
    subject::{SubjectKind, SubjectRef},
};

mod entity {
    use sea_orm::entity::prelude::*;

    use crate::ids::CountyId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "calendar_notices")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub county_id: CountyId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub year: i32,
        /// Counts the imports of this year, from 1; the highest is in force.
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i32,
        pub notice: Json,
        pub imported_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The calendars in force: the shipped years and what each county imported. Shared by all requests, reloaded on import
/// and, because another process may import, from time to time.
pub struct CalendarBook {
    store: Store,
    known: RwLock<HashMap<CountyId, ReadAt>>,
}

/// A calendar, and when it was read.
type ReadAt = (chrono::DateTime<Utc>, Arc<Calendar>);

/// Another process's import is seen within this time.
const RELOADED_AFTER: chrono::TimeDelta = chrono::TimeDelta::seconds(60);

impl CalendarBook {
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, known: RwLock::new(HashMap::new()) }
    }

    /// The calendar in force in a county.
    ///
    /// # Errors
    /// When the database does not answer.
    ///
    /// # Panics
    /// Never: no holder of the lock panics.
    pub async fn of(&self, county: CountyId) -> Result<Arc<Calendar>, Fault> {
        let now = self.store.clock().now();
        if let Some((read_at, calendar)) = self.known.read().expect("no holder of this lock panics").get(&county)
            && now - *read_at < RELOADED_AFTER
            && now >= *read_at
        {
            return Ok(Arc::clone(calendar));
        }
        let calendar = Arc::new(load(self.store.reader(), county).await?);
        self.known.write().expect("no holder of this lock panics").insert(county, (now, Arc::clone(&calendar)));
        Ok(calendar)
    }

    fn forget(&self, county: CountyId) {
        self.known.write().expect("no holder of this lock panics").remove(&county);
    }
}

async fn load(connection: &impl sea_orm::ConnectionTrait, county: CountyId) -> Result<Calendar, Fault> {
    let mut notices = Calendar::shipped_notices();
    let rows = entity::Entity::find()
        .filter(entity::Column::CountyId.eq(county))
        .order_by_asc(entity::Column::Year)
        .order_by_asc(entity::Column::Version)
        .all(connection)
        .await?;
    for row in rows {
        let notice: YearNotice = serde_json::from_value(row.notice).map_err(Fault::unavailable)?;
        // A newer version replaces the year as a whole: days it no longer names are ordinary again.
        notices.retain(|known| (known.year, known.local) != (notice.year, notice.local));
        notices.push(notice);
    }
    // A year's notice outranks the one before for the days of December that both name; local holidays outrank both.
    notices.sort_by_key(|notice| (notice.local, notice.year));
    Ok(Calendar::from_notices(&notices))
}

/// What an import changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportOutcome {
    pub year: i32,
    pub version: i32,
    /// Open deadlines whose date changed or became known.
    pub moved_deadlines: u32,
}

/// Takes a notice into force and works out every open deadline again; each that moves gets a line in the ledger, and the
/// person responsible is told.
///
/// # Errors
/// When the actor may not, or the database does not answer.
pub async fn import_year(
    store: &Store,
    book: &CalendarBook,
    actor: &Actor,
    county: CountyId,
    notice: YearNotice,
) -> Result<ImportOutcome, Fault> {
    may(actor, Action::ManageSystem, &Subject { county: Some(county), ..Subject::default() })?;
    let subject = SubjectRef { kind: SubjectKind::Calendar, id: county.0 };
    let outcome = store
        .command(county, &Command::by(actor), move |unit| {
            Box::pin(async move {
                let version = keep(unit, county, &notice).await?;
                let calendar = load(unit.connection(), county).await?;
                let (moved, notices) = work_out_again(unit, county, &calendar).await?;
                let outcome = ImportOutcome { year: notice.year, version, moved_deadlines: moved };
                let mut entry = AuditEntry::new("calendar_imported", subject);
                entry.after = Some(digest_of(&notice));
                Ok(Done::new(outcome, entry).telling(notices))
            })
        })
        .await?;
    book.forget(county);
    Ok(outcome.value)
}

async fn keep(unit: &UnitOfWork, county: CountyId, notice: &YearNotice) -> Result<i32, Fault> {
    let newest = entity::Entity::find()
        .filter(entity::Column::CountyId.eq(county))
        .filter(entity::Column::Year.eq(notice.year))
        .order_by_desc(entity::Column::Version)
        .one(unit.connection())
        .await?;
    let version = newest.map_or(1, |row| row.version + 1);
    entity::Entity::insert(entity::ActiveModel {
        county_id: Set(county),
        year: Set(notice.year),
        version: Set(version),
        notice: Set(serde_json::to_value(notice).map_err(Fault::unavailable)?),
        imported_at: Set(unit.now()),
    })
    .exec_without_returning(unit.connection())
    .await?;
    Ok(version)
}

/// The date by the rule that the deadline keeps; none where people set the date.
fn work_out(calendar: &Calendar, deadline: &deadline_rows::Model) -> Option<WorkedOut> {
    let limit = serde_json::from_value::<Limit>(deadline.limit.clone());
    let day = serde_json::from_value::<DayRule>(deadline.limit.clone());
    limit.map(|limit| calendar.due_date(deadline.start_on, limit)).or(day.map(|day| calendar.day(day))).ok()
}

async fn work_out_again(unit: &UnitOfWork, county: CountyId, calendar: &Calendar) -> Result<(u32, Vec<Notice>), Fault> {
    const PAGE: u64 = 500;
    let mut moved = 0;
    let mut notices = Vec::new();
    let mut after = DeadlineId(uuid::Uuid::nil());
    loop {
        let page = deadline_rows::Entity::find()
            .filter(deadline_rows::Column::CountyId.eq(county))
            .filter(deadline_rows::Column::Status.eq(DeadlineStatus::Open))
            // An extended date was decided by a person: no calendar moves it.
            .filter(deadline_rows::Column::Extensions.eq(0))
            .filter(deadline_rows::Column::Id.gt(after))
            .order_by_asc(deadline_rows::Column::Id)
            .limit(PAGE)
            .all(unit.connection())
            .await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for deadline in page {
            let Some(worked_out) = work_out(calendar, &deadline) else { continue };
            if worked_out.due_on == deadline.due_on {
                continue;
            }
            moved += 1;
            let subject = SubjectRef { kind: deadline.subject_kind, id: deadline.subject_id };
            let step =
                format!("{}:{}", deadline.id, worked_out.due_on.map(|date| date.to_string()).unwrap_or_default());
            for staff in deadlines::responsible(unit.connection(), &deadline, unit.today()).await? {
                let mut notice = Notice::new(Recipient::Staff(staff), "deadline_moved_by_calendar", subject)
                    .step(step.clone())
                    .round(deadline.round)
                    .facts(serde_json::json!({
                        "title": deadline.subject_title,
                        "old_due_on": deadline.due_on,
                        "due_on": worked_out.due_on,
                        "explanation": worked_out.explanation,
                    }));
                notice.township = deadline.township_id;
                notices.push(notice);
            }
            changes::Entity::insert(changes::ActiveModel {
                id: Set(EntryId::new(unit.randomness(), unit.now())),
                county_id: Set(county),
                deadline_id: Set(deadline.id),
                old_due_on: Set(deadline.due_on),
                new_due_on: Set(worked_out.due_on),
                cause: Set("calendar".into()),
                explanation: Set(worked_out.explanation.clone()),
                at: Set(unit.now()),
            })
            .exec_without_returning(unit.connection())
            .await?;
            deadline_rows::Entity::update_many()
                .col_expr(deadline_rows::Column::DueOn, Expr::value(worked_out.due_on))
                // Whoever knew of the old date does not know of this one.
                .col_expr(deadline_rows::Column::AcknowledgedOn, Expr::value(Option::<chrono::NaiveDate>::None))
                .col_expr(deadline_rows::Column::Explanation, Expr::value(worked_out.explanation))
                .filter(deadline_rows::Column::Id.eq(deadline.id))
                .exec(unit.connection())
                .await?;
        }
    }
    Ok((moved, notices))
}
