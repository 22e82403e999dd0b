//! 调度提示: how much is due, late, and being done again, for those who lead the campaign. Figures only, and each person's own:
//! of what the desk shows to him, so that nobody learns by a figure of what he is kept out of.

use chrono::{DateTime, NaiveDate, Utc};
use qingfeng_core::{
    campaigns::schedule::InForce,
    clock::shanghai_date,
    deadlines::desk,
    outbox::{Notice, Recipient},
    people::{
        self, Actor, Role,
        authorization::{Action, Reach, StaffReach, reach},
        holders,
    },
    refusal::Fault,
};
use serde_json::json;

use super::Outgoing;
use crate::Bot;

pub(super) async fn schedule(
    bot: &Bot,
    scheduled: &InForce,
    due: DateTime<Utc>,
    until: Option<NaiveDate>,
    outgoing: &Outgoing<'_>,
) -> Result<(), Fault> {
    let (reader, day) = (bot.store.reader(), shanghai_date(due));
    let until = until.unwrap_or(day).max(day);
    let roles = [Role::TownshipOffice, Role::TownshipLeader];
    let mut notices = Vec::new();
    for id in holders(reader, scheduled.township, &roles, day).await? {
        let Some(person) = people::load_staff(&bot.store, id, day).await? else { continue };
        let Reach::Staff(mut reach) = reach(&Actor::Staff(person), Action::ViewDesk) else { continue };
        if !reach.whole_county && !reach.townships.contains(&scheduled.township) {
            continue;
        }
        // Somebody may hold posts elsewhere, too; this is about the campaign's township.
        reach = StaffReach {
            whole_county: false,
            townships: vec![scheduled.township],
            units: vec![],
            handler: None,
            ..reach
        };
        let counts = desk::counts(&bot.store, &reach, day, until).await?;
        let facts = json!({
            "title": format!("调度提示：{}至{}", day.format("%-m月%-d日"), until.format("%-m月%-d日")),
            "due": counts.due,
            "overdue": counts.overdue,
            "done_again": counts.done_again,
        });
        notices.push(
            Notice::new(Recipient::Staff(id), "summary", scheduled.campaign)
                .step(format!("{}:{}", scheduled.entry.key, due.format("%Y-%m-%dT%H:%MZ")))
                .township(scheduled.township)
                .facts(facts),
        );
    }
    outgoing.add(notices).await
}
