//! A year of plan A on a simulated clock: two bots, the real database and cache, the platform simulator.
//! In between a bot is killed while a card is on its way, both are away for three days, and the platforms are away for
//! two days. What arrived is counted exactly; the counts are the same on every engine.
//!
//! Some of them by hand, from the rules in `people.rs` (seven, three and one day ahead, on the day, then one day after
//! and every third; on rest days nothing but what is due that day):
//! - a group gets 12 posts: the campaign begins on January 15 and catches up on December's;
//! - the second secretary's home visits are late twelve times: 12 on the day, 22 overdue (one and four days; of May and August
//!   the fourth day is a Saturday or Sunday, and he hands in that day), and the office is told 11 times (after three days; of
//!   August the third is a Saturday);
//! - the review is due on December 1, because November 30 is a Sunday: 10 overdue (1, 4, … 28 days), the discipline
//!   secretary is told after 7, 15 and 20 days, the deputy secretary after 20 and 30;
//! - office and the three leaders get the plan's two summaries a month, from the day it begins: 24 each;
//! - of the first secretary's six reminders on the day October's is withdrawn with the one before: while the platforms
//!   were away he handed in; one card was on its way when the bot died: it is unknown, arrived, and is not sent again.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

mod county;
#[path = "../../../core/tests/contracts/engines.rs"]
#[expect(dead_code, reason = "the contract tests use the rest")]
mod engines;
mod five_plans;
mod people;
#[path = "../support/platform_settings.rs"]
mod platform_settings;
mod shared_cache;
mod township;
mod two_bots;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use qingfeng_core::{
    clock::{Clock, shanghai},
    storage::Engine,
};
use qingfeng_sandbox::{Fault, FaultKind, Platform};
use rstest::rstest;

use township::Township;

fn day(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, month, day).unwrap()
}

/// Both bots' machine is off.
fn bots_are_off(today: NaiveDate) -> bool {
    (day(6, 2)..day(6, 5)).contains(&today)
}

/// The hour of the first day.
const BEGINS_AT: usize = 7;

/// By day as often as anything is due; at night once, because nothing is sent then and the sweeping is done by four.
fn is_worth_a_look(hour: u32) -> bool {
    matches!(hour, 4 | 8..=9 | 12 | 16)
}

/// Lives through the year.
async fn live(township: &mut Township) {
    let mut outages = Vec::new();
    let begin = township.bots.clock.now().with_timezone(&shanghai()).date_naive();
    let days = begin.iter_days().take_while(|today| *today <= day(12, 31));
    for (today, hour) in days.flat_map(|today| (0..24).map(move |hour| (today, hour))).skip(BEGINS_AT) {
        township.bots.until(today, hour);
        if (today, hour) == (day(10, 9), 0) {
            for platform in [Platform::WeChat, Platform::WeCom] {
                outages.push(township.bots.platforms.inject(Fault::new(platform, FaultKind::Outage)));
            }
        }
        if (today, hour) == (day(10, 11), 0) {
            assert!(outages.drain(..).all(|outage| township.bots.platforms.end_fault(outage)));
        }
        if (today, hour) == (day(5, 13), 9) {
            let died = township.bots.one_dies_while_a_card_is_on_its_way(Platform::WeChat).await;
            assert!(died, "a card was due");
        } else if !bots_are_off(today) && is_worth_a_look(hour) {
            township.bots.work().await;
        }
        if hour == 16 {
            people::hand_in(township, today).await;
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_of_plan_a_reminds_everybody_exactly_as_often_as_it_should(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let mut township = Township::found(engine).await;
    live(&mut township).await;

    let mut told = BTreeMap::new();
    for message in township.messages().await {
        *told.entry(message).or_insert(0) += 1;
    }
    for recipient in township.arrived() {
        *told.entry((recipient, "everything".to_owned(), "arrived".to_owned())).or_insert(0) += 1;
    }
    let table: String =
        told.iter().map(|((who, kind, state), count)| format!("{who} {kind} {state} {count}\n")).collect();
    insta::assert_snapshot!("messages", table);
}
