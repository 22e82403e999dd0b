//! Two bots on one database, one cache and one set of simulated platforms; one of them may die while it sends.

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use qingfeng_bot::{Bot, BotSettings, Reviewing, channels::CardTemplates};
use qingfeng_core::{
    cache::{Cache, MemoryCache, RedisCache},
    clock::{Clock, SimulatedClock, shanghai_instant},
    evidence::Darkroom,
    files,
    ids::CountyId,
    outbox::{
        self, MessageState,
        consents::{self, Consent, Teller},
    },
    randomness::Randomness,
    sealing::Sealer,
    storage::{DatabaseSettings, Engine, Store, Surroundings},
};
use qingfeng_sandbox::{
    Account, Delivery, Fault, FaultKind, Platform, Recipient, RunningSandbox, Sandbox, SandboxSettings, Template,
    WeComAccount,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use uuid::Uuid;

use crate::{engines::TestDatabase, platform_settings::platform_settings, shared_cache::SharedCache};

const REMINDER: &str = "template-reminder";
const PROGRESS: &str = "template-progress";
/// How often the bots look when they have put something off.
const LOOKS: u32 = 3;
const A_MOMENT: TimeDelta = TimeDelta::minutes(2);
/// Longer than a bot holds what it has claimed.
const LEASE: TimeDelta = TimeDelta::minutes(6);
/// More than a year needs.
const ACCEPTS: u16 = 10_000;

pub struct TwoBots {
    pub store: Store,
    pub clock: Arc<SimulatedClock>,
    pub platforms: Sandbox,
    cache: Arc<SharedCache>,
    running: RunningSandbox,
    bots: [Arc<Bot>; 2],
    _database: TestDatabase,
}

pub fn sealer() -> Sealer {
    Sealer::new(&[9; 32])
}

impl TwoBots {
    /// At seven in the morning of that day, with an empty database.
    pub async fn on(engine: Engine, day: NaiveDate, randomness: Arc<dyn Randomness>) -> Self {
        let database = TestDatabase::fresh(engine).await;
        let clock = Arc::new(SimulatedClock::at_shanghai(day, 7));
        let surroundings = Surroundings { clock: clock.clone(), randomness };
        let settings = DatabaseSettings { url: database.url.clone(), connections: 4 };
        let store = Store::connect(&settings, surroundings).await.unwrap();
        store.migrate().await.unwrap();
        let cache: Arc<dyn Cache> = match engine {
            Engine::Sqlite => Arc::new(MemoryCache::new(clock.clone())),
            Engine::Postgres => {
                let url = std::env::var("QINGFENG_TEST_REDIS").unwrap_or("redis://127.0.0.1:6379".into());
                Arc::new(RedisCache::connect(&url, clock.clone()).await.expect("Redis answers; see README"))
            }
        };
        let cache = Arc::new(SharedCache::new(cache));
        let platforms = platforms(&clock);
        let running = platforms.start("127.0.0.1:0").unwrap();
        let bots = [new_bot(&store, &cache, &running), new_bot(&store, &cache, &running)];
        Self { store, clock, platforms, cache, running, bots, _database: database }
    }

    /// These people accept more cards than a year has.
    pub async fn accept_cards<'a>(&self, people: impl IntoIterator<Item = &'a str>) {
        let county = CountyId(Uuid::nil());
        for person in people {
            for template in [REMINDER, PROGRESS] {
                let consent = Consent::new(person, template);
                consents::accepted(&self.store, county, consent, Teller::Platform, ACCEPTS).await.unwrap();
                self.platforms.accept_subscription(person, template, ACCEPTS.into());
            }
        }
    }

    /// Both at once: what the one has claimed, the other leaves alone. What they put off for a moment, because the other has a card
    /// for the same person in its hands, has its turn some minutes later.
    pub async fn work(&self) {
        for _ in 0..LOOKS {
            let [first, second] = &self.bots;
            let (one, other) = tokio::join!(first.tick(), second.tick());
            one.unwrap();
            other.unwrap();
            self.cache.leases_run_out().await;
            self.clock.advance(A_MOMENT);
            if !self.is_anything_due().await {
                return;
            }
        }
    }

    async fn is_anything_due(&self) -> bool {
        let due = outbox::entity::Entity::find()
            .filter(outbox::entity::Column::State.eq(MessageState::Pending))
            .filter(outbox::entity::Column::NotBefore.lte(self.clock.now()));
        due.count(self.store.reader()).await.unwrap() > 0
    }

    /// Goes on to this hour of a day, in China.
    pub fn until(&self, day: NaiveDate, hour: u32) {
        let hour = shanghai_instant(day, NaiveTime::from_hms_opt(hour, 0, 0).unwrap());
        self.clock.advance(hour - self.clock.now());
    }

    /// A bot dies in its round, when it has waited for something so many times, whatever that was; the other bot goes on.
    pub async fn one_dies_in_its_round(&mut self, steps: u32) {
        let bot = Arc::clone(&self.bots[0]);
        let mut round = Box::pin(async move { bot.tick().await });
        let mut left = steps;
        poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            round.as_mut().poll(context).map(|ended| assert!(ended.is_ok(), "{ended:?}"))
        })
        .await;
        drop(round);
        self.cache.leases_run_out().await;
        self.bots[0] = new_bot(&self.store, &self.cache, &self.running);
        // What the dead one held is free when its time is over.
        self.clock.advance(LEASE);
        self.work().await;
    }

    /// This platform takes its first card to a person, and the bot dies before it can write that down; the other bot goes on. Whether
    /// there was such a card.
    pub async fn one_dies_while_a_card_is_on_its_way(&mut self, platform: Platform) -> bool {
        let slow = FaultKind::Delay { milliseconds: 60_000 };
        let endpoint =
            if platform == Platform::WeCom { "/cgi-bin/message/send" } else { "/cgi-bin/message/subscribe/send" };
        let fault = self.platforms.inject(Fault::new(platform, slow).at(endpoint).times(1));
        // Its first call is to be the card, not one with a token that has run out.
        self.cache.remove(&format!("wechat_token:{}", Account::default().app_id)).await.unwrap();
        let before = self.cards(platform);
        let bot = Arc::clone(&self.bots[0]);
        let work = tokio::spawn(async move { bot.tick().await });
        let died = loop {
            if self.cards(platform) > before {
                work.abort();
                break true;
            }
            if work.is_finished() {
                break false;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        };
        let ended = work.await;
        assert_eq!(ended.is_err(), died, "{ended:?}");
        self.platforms.end_fault(fault);
        self.cache.leases_run_out().await;
        self.bots[0] = new_bot(&self.store, &self.cache, &self.running);
        self.bots[1].tick().await.unwrap();
        self.cache.leases_run_out().await;
        died
    }

    fn cards(&self, platform: Platform) -> usize {
        let is_its_card = |delivery: &&Delivery| match delivery.to {
            Recipient::Phone(_) => platform == Platform::WeChat,
            Recipient::WeComUser(_) => platform == Platform::WeCom,
            _ => false,
        };
        self.platforms.deliveries().iter().filter(is_its_card).count()
    }
}

fn new_bot(store: &Store, cache: &Arc<SharedCache>, running: &RunningSandbox) -> Arc<Bot> {
    let templates = CardTemplates::usual(REMINDER, PROGRESS);
    let platforms = platform_settings(running, Account::default(), WeComAccount::default(), templates);
    let settings = BotSettings {
        reviewing: Reviewing::SecondPerson,
        template_failures: 5,
        public_url: "http://127.0.0.1:8080".into(),
        platforms,
    };
    // Nobody sends photos here.
    let files = files::open(&format!("file://{}", std::env::temp_dir().join("qingfeng-year").display()));
    let darkroom = Arc::new(Darkroom::new(files.unwrap()));
    Arc::new(Bot::new(store.clone(), cache.clone(), sealer(), darkroom, settings).unwrap())
}

fn platforms(clock: &Arc<SimulatedClock>) -> Sandbox {
    let clock = clock.clone();
    Sandbox::new(SandboxSettings {
        clock: Arc::new(move || clock.now()),
        templates: vec![
            Template::new(REMINDER, "待办提醒")
                .with_field("thing2", "事项")
                .with_field("date5", "期限")
                .with_field("thing7", "提示")
                .with_field("thing9", "原因"),
            Template::new(PROGRESS, "进展通知")
                .with_field("thing4", "事项")
                .with_field("thing6", "进展")
                .with_field("thing8", "原因"),
        ],
        ..SandboxSettings::default()
    })
}
