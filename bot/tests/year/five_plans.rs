//! A year of all five plans at once: two bots that work at the same moments, one of them killed at random hours, while a card of
//! either platform is on its way or anywhere in its round; both away for three days, the platforms away for two. What arrived is
//! counted exactly, and is the same on every engine.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use qingfeng_core::{
    outbox::MessageState,
    randomness::{Randomness, SeededRandomness},
    storage::Engine,
};
use qingfeng_sandbox::{Fault, FaultKind, Platform};
use rstest::rstest;

use crate::{bots_are_off, county::County, day};

const HOURS: [u32; 3] = [8, 9, 16];
const PLATFORMS: [Platform; 2] = [Platform::WeChat, Platform::WeCom];
/// Over a card of each platform, and anywhere.
const KILLS: u32 = 24;
/// More often than a busy round waits for something.
const MOST_STEPS: u32 = 600;

/// Bots that died over a card of each platform.
#[derive(Default)]
struct Died {
    over_wechat: usize,
    over_wecom: usize,
}

async fn live(county: &mut County) -> Died {
    let mut died = Died::default();
    let chance: &dyn Randomness = &SeededRandomness::new(25);
    let hours = || -> Vec<(NaiveDate, u32)> {
        (0..KILLS).map(|_| (day(1, 20) + TimeDelta::days(chance.below(330).into()), 8 + chance.below(2))).collect()
    };
    let (over_cards, anywhere) = ([hours(), hours()], hours());
    let mut outages = Vec::new();
    let mut today = day(1, 1);
    while today <= day(12, 31) {
        county.campaigns_begin(today).await;
        for hour in HOURS {
            county.bots.until(today, hour);
            if (today, hour) == (day(10, 9), 8) {
                for platform in PLATFORMS {
                    outages.push(county.bots.platforms.inject(Fault::new(platform, FaultKind::Outage)));
                }
            }
            if (today, hour) == (day(10, 11), 8) {
                assert!(outages.drain(..).all(|outage| county.bots.platforms.end_fault(outage)));
            }
            if bots_are_off(today) {
                continue;
            }
            let now = (today, hour);
            let over_a_card = over_cards.iter().position(|hours| hours.contains(&now)).filter(|_| outages.is_empty());
            if let Some(platform) = over_a_card.map(|number| PLATFORMS[number]) {
                let dead = usize::from(county.bots.one_dies_while_a_card_is_on_its_way(platform).await);
                *(if platform == Platform::WeCom { &mut died.over_wecom } else { &mut died.over_wechat }) += dead;
            } else if anywhere.contains(&now) {
                county.bots.one_dies_in_its_round(1 + chance.below(MOST_STEPS)).await;
            } else {
                county.bots.work().await;
            }
        }
        county.hand_in(today).await;
        today = today.succ_opt().unwrap();
    }
    died
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_of_all_five_plans_tells_everybody_exactly_as_often_as_it_should(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let mut county = County::found(engine).await;
    let Died { over_wechat, over_wecom } = live(&mut county).await;

    assert!(over_wechat >= 4 && over_wecom >= 4, "{over_wechat} {over_wecom}");
    // Nothing is lost and nothing comes twice: what arrived is what was taken, and the cards whose bot died. WeCom drops a card that
    // comes again, so that the other bot has brought those to their end; over one that was killed anywhere, there may be doubt.
    let (arrived, taken) = (county.bots.platforms.deliveries().len(), county.ended(MessageState::Sent).await);
    let in_doubt = county.ended(MessageState::Unknown).await;
    assert!(in_doubt >= over_wechat && in_doubt <= over_wechat + KILLS as usize, "{in_doubt} {over_wechat}");
    assert!((taken + over_wechat..=taken + in_doubt).contains(&arrived), "{arrived} {taken} {in_doubt} {over_wechat}");
    let mut told = BTreeMap::new();
    for (who, kind, state) in county.messages().await {
        // Which of them a bot had in its hands when it died anywhere is another one each time.
        let state = if state == "unknown" { "sent".into() } else { state };
        *told.entry((who, kind, state)).or_insert(0) += 1;
    }
    let table: String =
        told.iter().map(|((who, kind, state), count)| format!("{who} {kind} {state} {count}\n")).collect();
    insta::assert_snapshot!("five_plans", table);
}
