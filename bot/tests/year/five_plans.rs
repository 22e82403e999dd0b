//! A year of all five plans at once: two bots, one of them killed at random hours while it sends, both away for three days,
//! the platforms away for two. What arrived is counted exactly, and is the same on every engine.

use std::collections::BTreeMap;

use chrono::{TimeDelta, Timelike};
use qingfeng_core::{
    clock::{Clock, shanghai},
    randomness::{Randomness, SeededRandomness},
    storage::Engine,
};
use qingfeng_sandbox::{Fault, FaultKind, Platform};
use rstest::rstest;

use crate::{bots_are_off, county::County, day};

const HOURS: [u32; 3] = [8, 9, 16];
const KILLS: u32 = 24;

async fn live(county: &mut County) -> usize {
    let mut killed = 0;
    let chance: &dyn Randomness = &SeededRandomness::new(25);
    let kills: Vec<_> =
        (0..KILLS).map(|_| (day(1, 20) + TimeDelta::days(chance.below(330).into()), 8 + chance.below(2))).collect();
    let mut outages = Vec::new();
    let mut today = day(1, 1);
    while today <= day(12, 31) {
        county.campaigns_begin(today).await;
        for hour in HOURS {
            let now = county.bots.clock.now().with_timezone(&shanghai());
            let ahead = i64::from(hour) - i64::from(now.hour()) + 24 * (today - now.date_naive()).num_days();
            county.bots.clock.advance(TimeDelta::hours(ahead));
            if (today, hour) == (day(10, 9), 8) {
                for platform in [Platform::WeChat, Platform::WeCom] {
                    outages.push(county.bots.platforms.inject(Fault::new(platform, FaultKind::Outage)));
                }
            }
            if (today, hour) == (day(10, 11), 8) {
                assert!(outages.drain(..).all(|outage| county.bots.platforms.end_fault(outage)));
            }
            if bots_are_off(today) {
                continue;
            }
            if outages.is_empty() && kills.contains(&(today, hour)) {
                killed += usize::from(county.bots.one_dies_while_a_card_is_on_its_way(Platform::WeChat).await);
            } else {
                county.bots.work().await;
            }
        }
        county.hand_in(today).await;
        today = today.succ_opt().unwrap();
    }
    killed
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_of_all_five_plans_tells_everybody_exactly_as_often_as_it_should(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let mut county = County::found(engine).await;
    let killed = live(&mut county).await;

    let messages = county.messages().await;
    let unknown = messages.iter().filter(|(_, _, state)| state == "unknown").count();
    assert!(killed >= 5 && unknown >= killed, "{killed} {unknown}");
    // Nothing is lost and nothing comes twice: what arrived is what was taken, and the cards whose bot died.
    assert_eq!(county.bots.platforms.deliveries().len(), county.taken().await + killed);
    let mut told = BTreeMap::new();
    for message in messages {
        *told.entry(message).or_insert(0) += 1;
    }
    let table: String =
        told.iter().map(|((who, kind, state), count)| format!("{who} {kind} {state} {count}\n")).collect();
    insta::assert_snapshot!("five_plans", format!("killed {}\n{table}", killed));
}
