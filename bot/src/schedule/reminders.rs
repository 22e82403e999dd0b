use std::collections::HashMap;

use chrono::{NaiveDate, TimeDelta};
use qingfeng_core::{
    campaigns::Ladder,
    deadlines::{DeadlineStatus, entity::deadlines, responsible},
    ids::{CountyId, DeadlineId, OrganizationId, StaffId},
    outbox::{Notice, Recipient},
    people::{OrganizationKind, Role, concerns, entity::organizations, holders},
    refusal::Fault,
    subject::SubjectRef,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

use super::{
    Outgoing, Places,
    policy::{ReminderPolicy, Step, Today},
};
use crate::Bot;

const PAGE: u64 = 500;

/// How a township reminds: its running campaign's way, or the usual one.
#[derive(Default)]
struct Rules {
    policy: ReminderPolicy,
    ladder: Option<Ladder>,
}

/// The rules of a county's townships.
struct RuleBook {
    townships: HashMap<OrganizationId, Rules>,
    usual: Rules,
}

impl RuleBook {
    async fn read(bot: &Bot, county: CountyId, here: &Places, today: NaiveDate) -> Result<Self, Fault> {
        let places = organizations::Entity::find()
            .filter(organizations::Column::CountyId.eq(county))
            .filter(organizations::Column::Kind.eq(OrganizationKind::Township))
            .all(bot.store.reader())
            .await?;
        let mut townships = HashMap::new();
        for place in places.into_iter().filter(|place| here.include(Some(place.id))) {
            let ladder = Ladder::read(bot.store.reader(), county, place.id, today).await?;
            let policy = ladder.as_ref().map(|ladder| ladder.reminders().into()).unwrap_or_default();
            townships.insert(place.id, Rules { policy, ladder });
        }
        Ok(Self { townships, usual: Rules::default() })
    }

    fn of(&self, township: Option<OrganizationId>) -> &Rules {
        township.and_then(|township| self.townships.get(&township)).unwrap_or(&self.usual)
    }

    /// How far ahead deadlines have to be looked at, in days.
    fn horizon(&self) -> i64 {
        self.townships.values().chain([&self.usual]).map(|rules| rules.policy.horizon()).max().unwrap_or(0)
    }
}

/// Writes today's reminders into the outbox.
pub(super) async fn schedule(
    bot: &Bot,
    county: CountyId,
    here: &Places,
    today: NaiveDate,
    outgoing: &Outgoing<'_>,
) -> Result<(), Fault> {
    let rules = RuleBook::read(bot, county, here, today).await?;
    let calendar = bot.calendar.of(county).await?;
    let today = Today::on(&calendar, today);
    let horizon = today.until + TimeDelta::days(rules.horizon());
    // A year that both databases know; nothing was due before.
    let before_all = NaiveDate::from_ymd_opt(1949, 10, 1).unwrap_or_default();
    let mut after = (before_all, DeadlineId(uuid::Uuid::nil()));
    loop {
        let mut open = deadlines::Entity::find()
            .filter(deadlines::Column::CountyId.eq(county))
            .filter(deadlines::Column::Status.eq(DeadlineStatus::Open))
            .filter(deadlines::Column::DueOn.lte(horizon))
            .filter(Condition::any().add(deadlines::Column::DueOn.gt(after.0)).add(
                Condition::all().add(deadlines::Column::DueOn.eq(after.0)).add(deadlines::Column::Id.gt(after.1)),
            ));
        if let Some(township) = here.single() {
            open = open.filter(deadlines::Column::TownshipId.eq(township));
        }
        let page = open
            .order_by_asc(deadlines::Column::DueOn)
            .order_by_asc(deadlines::Column::Id)
            .limit(PAGE)
            .all(bot.store.reader())
            .await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = (last.due_on.unwrap_or(horizon), last.id);
        let mut notices = Vec::new();
        for deadline in page.iter().filter(|deadline| here.include(deadline.township_id)) {
            notices.extend(reminders_of(bot, rules.of(deadline.township_id), deadline, today).await?);
        }
        outgoing.add(notices).await?;
    }
}

async fn reminders_of(
    bot: &Bot,
    rules: &Rules,
    deadline: &deadlines::Model,
    today: Today,
) -> Result<Vec<Notice>, Fault> {
    let Some(due_on) = deadline.due_on else { return Ok(Vec::new()) };
    let days = (due_on - today.date).num_days().abs();
    let subject = SubjectRef { kind: deadline.subject_kind, id: deadline.subject_id };
    let facts = json!({
        "title": deadline.subject_title,
        "due_on": due_on,
        "days": days,
        "deadline_id": deadline.id,
        "deadline_kind": deadline.kind,
    });
    // The date is part of the name: an extended deadline has a series of its own.
    let notice = |staff: StaffId, kind: &'static str, step: String| {
        let mut notice = Notice::new(Recipient::Staff(staff), kind, subject)
            .step(format!("{}:{due_on}:{step}", deadline.kind))
            .round(deadline.round)
            .facts(facts.clone());
        notice.township = deadline.township_id;
        notice
    };
    let mut notices = Vec::new();
    let step = rules.policy.rings(due_on, today);
    // Who said that he knows is not told again ahead of the date.
    let is_known = |step: &Step| matches!(step, Step::Ahead(_)) && deadline.acknowledged_on.is_some();
    if let Some(step) = step.filter(|step| !is_known(step)) {
        let kind = match step {
            Step::Ahead(_) => "deadline_ahead",
            Step::Today => "deadline_today",
            Step::Overdue(_) => "deadline_overdue",
        };
        for staff in responsible(bot.store.reader(), deadline, today.date).await? {
            notices.push(notice(staff, kind, step.name()));
        }
    }
    let about = concerns::of(bot.store.reader(), subject).await?;
    for (superior, over, rung) in superiors(bot, rules, deadline, due_on, today).await? {
        // Whom the matter is about is not told that it is late (recusal).
        if about.staff.contains(&superior) {
            continue;
        }
        let mut escalated = notice(superior, "deadline_escalated", format!("escalated-{over}"));
        escalated.facts["rung"] = rung.into();
        notices.push(escalated);
    }
    Ok(notices)
}

/// Who above is told today, after how many days overdue, and under which rung of the ladder.
async fn superiors(
    bot: &Bot,
    rules: &Rules,
    deadline: &deadlines::Model,
    due_on: NaiveDate,
    today: Today,
) -> Result<Vec<(StaffId, i64, &'static str)>, Fault> {
    if today.is_rest_day {
        return Ok(Vec::new());
    }
    if let Some(ladder) = &rules.ladder {
        let Some(rung) = ladder.rung((today.date - due_on).num_days()) else { return Ok(Vec::new()) };
        let mut told = ladder.told(rung, deadline.responsible_unit_id);
        // He has his own reminder.
        told.retain(|staff| deadline.responsible_staff_id != Some(*staff));
        let over = i64::from(rung.overdue_days);
        return Ok(told.into_iter().map(|staff| (staff, over, rung.step.label())).collect());
    }
    let (Some(over), Some(township)) = (rules.policy.escalation(due_on, today.date), deadline.township_id) else {
        return Ok(Vec::new());
    };
    let leaders = holders(bot.store.reader(), township, &[Role::TownshipLeader], today.date).await?;
    Ok(leaders.into_iter().map(|staff| (staff, over, "")).collect())
}
