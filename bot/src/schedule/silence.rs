//! Silence is not consent: who has not rated an answer is asked twice, and then the office is told to call (1.10).

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use qingfeng_core::{
    clock::{shanghai_date, shanghai_instant},
    complaints::silence::{Silent, silent_reporters},
    ids::CountyId,
    outbox::{Notice, Recipient},
    people::{Role, concerns, holders},
    refusal::Fault,
    subject::SubjectRef,
};
use serde_json::json;

use super::Outgoing;
use crate::Bot;

/// Days after the answer on which the reporter is asked.
const ASKED_AGAIN_AFTER_DAYS: [i64; 2] = [3, 10];
/// Days after the answer from which silence may be followed up by a call.
const CALLED_AFTER_DAYS: i64 = 15;
/// An outage may be so long; what was answered before that is not asked about any more.
const LOOKED_BACK_DAYS: i64 = 45;

pub(super) async fn schedule(
    bot: &Bot,
    county: CountyId,
    today: NaiveDate,
    outgoing: &Outgoing<'_>,
) -> Result<(), Fault> {
    let midnight = |days: i64| shanghai_instant(today - TimeDelta::days(days), NaiveTime::MIN);
    let answered = midnight(LOOKED_BACK_DAYS)..midnight(ASKED_AGAIN_AFTER_DAYS[0] - 1);
    let mut last: Option<Silent> = None;
    loop {
        let page = silent_reporters(bot.store.reader(), county, answered.clone(), last.as_ref()).await?;
        if page.is_empty() {
            return Ok(());
        }
        let mut notices = Vec::new();
        for silent in &page {
            let days = (today - shanghai_date(silent.answered_at)).num_days();
            if days >= CALLED_AFTER_DAYS {
                notices.extend(call_back_due(bot, silent, today).await?);
            } else {
                notices.extend(asked_again(silent, days));
            }
        }
        outgoing.add(notices).await?;
        last = page.into_iter().last();
    }
}

/// The last day that has come; the days before it are not made up for.
fn asked_again(silent: &Silent, days: i64) -> Option<Notice> {
    let resident = silent.resident_id?;
    let day = ASKED_AGAIN_AFTER_DAYS.into_iter().rfind(|day| days >= *day)?;
    Some(notice(silent, Recipient::Resident(resident), "rating_reminder").step(format!("{day}_days")))
}

/// The office calls, but neither who handled it nor whom it is about.
async fn call_back_due(bot: &Bot, silent: &Silent, today: NaiveDate) -> Result<Vec<Notice>, Fault> {
    let about = concerns::of(bot.store.reader(), SubjectRef::from(silent.complaint_id)).await?;
    let office = holders(bot.store.reader(), silent.township_id, &[Role::TownshipOffice], today).await?;
    Ok(office
        .into_iter()
        .filter(|staff| Some(*staff) != silent.handler_id && !about.staff.contains(staff))
        .map(|staff| notice(silent, Recipient::Staff(staff), "call_back_due"))
        .collect())
}

fn notice(silent: &Silent, to: Recipient, kind: &'static str) -> Notice {
    Notice::new(to, kind, silent.complaint_id)
        .round(silent.round)
        .township(silent.township_id)
        .facts(json!({"title": silent.title}))
}
