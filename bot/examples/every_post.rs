//! A post of each kind in a group of each platform, to be looked at: `cargo run -p qingfeng-bot --example every_post`, then
//! open the address that it prints. The posts are made and sent by the code that sends the real ones; their facts are made up.

use std::{error::Error, sync::Arc};

use chrono::{NaiveDate, TimeDelta};
use qingfeng_bot::{
    channels::{CardTemplates, Channels, Post, Watch},
    messages::{self, Platform, Preview},
};
use qingfeng_core::{
    cache::{Cache, MemoryCache},
    clock::{Clock, SimulatedClock},
    groups::{GroupKind, RobotKey},
};
use qingfeng_sandbox::{Account, Group, GroupKind as Robot, Phone, Sandbox, SandboxSettings, WeComAccount};

#[path = "../tests/support/platform_settings.rs"]
mod platform_settings;

use platform_settings::platform_settings;

const KEEPER: &str = "keeper";
const CUSTOMERS: &str = "customers";
const ROBOTS: [(GroupKind, &str); 3] =
    [(GroupKind::WecomRobot, "wecom"), (GroupKind::DingtalkRobot, "dingtalk"), (GroupKind::FeishuRobot, "feishu")];

/// No robot is told more often than this allows.
const BETWEEN_POSTS: TimeDelta = TimeDelta::seconds(10);

/// Posts use none.
fn templates() -> CardTemplates {
    CardTemplates::usual("T-REMIND", "T-PROGRESS")
}

fn platforms(clock: &Arc<SimulatedClock>) -> Sandbox {
    let now = Arc::clone(clock);
    Sandbox::new(SandboxSettings {
        clock: Arc::new(move || now.now()),
        phones: vec![Phone::new("phone-keeper", "群主").at_wecom(KEEPER)],
        groups: vec![
            Group::new("wecom", "企业微信群"),
            Group::new("dingtalk", "钉钉群").of_kind(Robot::Dingtalk),
            Group::new("feishu", "飞书群").of_kind(Robot::Feishu),
            Group::new(CUSTOMERS, "客户群").of_customers(KEEPER),
        ],
        ..SandboxSettings::default()
    })
}

/// What a customer group gets of it.
fn for_customers(preview: Preview) -> String {
    let view = preview.views.into_iter().find(|view| view.platform == Platform::WecomCustomerGroup);
    view.and_then(|view| view.fields.into_iter().next()).map(|field| field.text).unwrap_or_default()
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let today = NaiveDate::from_ymd_opt(2026, 3, 2).expect("a day");
    let clock = Arc::new(SimulatedClock::at_shanghai(today, 9));
    let platforms = platforms(&clock);
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8092".into());
    let running = platforms.start(&address)?;
    let cache: Arc<dyn Cache> = Arc::new(MemoryCache::new(clock.clone()));
    let dynamic: Arc<dyn Clock> = clock.clone();
    let settings = platform_settings(&running, Account::default(), WeComAccount::default(), templates());
    let channels = Channels::new(&cache, &dynamic, &Watch::nobody(), "every-post", &settings)?;
    let app = channels.wecom_app.as_ref().ok_or("the application is set up")?;
    for kind in messages::kinds().iter().filter(|kind| kind.is_post()) {
        let facts = messages::sample_facts(kind, today);
        let preview = messages::preview(kind, kind.text(), &facts, "https://qingfeng.example", today, &templates())
            .map_err(|fault| messages::field(fault).sentence)?;
        for (platform, key) in ROBOTS {
            let outcome =
                channels.robots.post(platform, &RobotKey::new(key), &Post::Markdown(preview.words.clone())).await;
            told(&format!("{} {key}", kind.key()), outcome.is_taken())?;
        }
        let outcome = app.customer_group_task(KEEPER, CUSTOMERS, &for_customers(preview)).await;
        told(&format!("{} {CUSTOMERS}", kind.key()), outcome.is_taken())?;
        let _ = platforms.phone("phone-keeper").confirm_group_messages();
        clock.advance(BETWEEN_POSTS);
    }
    tell_where(&address);
    tokio::signal::ctrl_c().await?;
    running.stop().await;
    Ok(())
}

fn told(post: &str, taken: bool) -> Result<(), String> {
    if taken { Ok(()) } else { Err(format!("{post} was refused")) }
}

#[expect(clippy::print_stdout, reason = "somebody wants to look")]
fn tell_where(address: &str) {
    println!("http://{address}/sandbox/");
}
