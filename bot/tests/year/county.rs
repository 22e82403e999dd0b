//! A county of five townships, each with one of the five plans, its offices held as the plan names them; two villages, a chat
//! group in each, and two bots for all.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{Days, NaiveDate};
use qingfeng_bot::Bot;
use qingfeng_core::{
    cache::{Cache, MemoryCache, RedisCache},
    calendar::Calendar,
    campaigns::{
        self, Plan, SHIPPED_PLANS,
        entity::duties,
        plan::{Office, Place},
    },
    clock::SimulatedClock,
    deadlines::{self, DeadlineStatus, entity::deadlines as deadline},
    groups::{self, GroupChannel, NewGroup, RobotKey},
    ids::{CountyId, DutyId, OrganizationId, StaffId},
    outbox::{
        self, MessageState, RecipientKind,
        consents::{self, Consent, Teller},
    },
    people::{
        self, Actor, OrganizationKind, Role,
        roster::{self, NewOrganization, NewPost, NewStaff},
    },
    randomness::SeededRandomness,
    refusal::Fault,
    storage::{Command, DatabaseSettings, Engine, Store, Surroundings, UnitOfWork},
};
use qingfeng_sandbox::{
    Account, Fault as PlatformFault, FaultKind, Group, Phone, Platform, Recipient, RunningSandbox, Sandbox,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::{
    engines::TestDatabase,
    shared_cache::SharedCache,
    township::{PROGRESS, REMINDER, new_bot, platforms, sealer},
};

/// More than a year needs.
const ACCEPTS: u16 = 10_000;
const LETTERS: [&str; 5] = ["A", "B", "C", "D", "E"];

pub struct County {
    pub store: Store,
    pub clock: Arc<SimulatedClock>,
    pub platforms: Sandbox,
    cache: Arc<SharedCache>,
    running: RunningSandbox,
    bots: [Arc<Bot>; 2],
    names: HashMap<Uuid, String>,
    /// Cards that were on their way when their bot died.
    pub killed: usize,
    _database: TestDatabase,
}

fn plan(number: usize) -> Plan {
    campaigns::read(SHIPPED_PLANS[number].text).unwrap().moved_to_year(2025)
}

/// Everything in a township that is set up before the year.
struct Founding<'u> {
    unit: &'u UnitOfWork,
    county: CountyId,
    names: HashMap<Uuid, String>,
}

impl Founding<'_> {
    async fn place(
        &mut self,
        kind: OrganizationKind,
        name: String,
        parent: Option<OrganizationId>,
    ) -> Result<OrganizationId, Fault> {
        let new = NewOrganization { parent, kind, name: name.clone(), code: name.clone() };
        let id = roster::add_organization(self.unit, self.county, new).await?;
        self.names.insert(id.0, name);
        Ok(id)
    }

    async fn holder(&mut self, office: &Office, role: Role, login: String, place: OrganizationId) -> Result<(), Fault> {
        let new = NewStaff {
            name: "测试干部".into(),
            login: login.clone(),
            password_hash: "nobody signs in here".into(),
            totp_secret: vec![1; 20],
            open_id: Some(login.clone()),
        };
        let staff = roster::add_staff(self.unit, self.county, &sealer(), new).await?;
        let from = NaiveDate::from_ymd_opt(2021, 3, 1).unwrap();
        let post = NewPost { staff, organization: place, role, title: office.label.clone(), from, to: None };
        roster::add_post(self.unit, self.county, post).await?;
        self.names.insert(staff.0, login);
        Ok(())
    }

    async fn township(&mut self, number: usize, above: OrganizationId) -> Result<(), Fault> {
        let letter = LETTERS[number];
        let township = self.place(OrganizationKind::Township, format!("{letter}镇"), Some(above)).await?;
        let mut villages = Vec::new();
        for name in ["东村", "西村"] {
            let name = format!("{letter}{name}");
            let village = self.place(OrganizationKind::Village, name.clone(), Some(township)).await?;
            let channel = GroupChannel::WecomRobot(RobotKey::new(name.clone()));
            let group = NewGroup { township, village, name: format!("{name}村民群"), channel };
            let group = groups::add(self.unit, self.county, &sealer(), group).await?;
            self.names.insert(group.0, format!("{name}村民群"));
            villages.push((name, village));
        }
        for office in plan(number).offices {
            let Some(role) = office.role else { continue };
            match office.place {
                Place::Village => {
                    for (name, village) in &villages {
                        self.holder(&office, role, format!("{name}:{}", office.key), *village).await?;
                    }
                }
                Place::Township => self.holder(&office, role, format!("{letter}:{}", office.key), township).await?,
                Place::Department | Place::EachDepartment => {
                    let name = format!("{letter}{}", office.label);
                    let department = self.place(OrganizationKind::Department, name, Some(township)).await?;
                    self.holder(&office, role, format!("{letter}:{}", office.key), department).await?;
                }
                // Outside the installation.
                Place::County | Place::City => {}
            }
        }
        Ok(())
    }
}

async fn found(unit: &UnitOfWork) -> Result<HashMap<Uuid, String>, Fault> {
    let county = CountyId::new(unit.randomness(), unit.now());
    let mut founding = Founding { unit, county, names: HashMap::new() };
    let above = founding.place(OrganizationKind::County, "清和县".into(), None).await?;
    for number in 0..LETTERS.len() {
        founding.township(number, above).await?;
    }
    Ok(founding.names)
}

impl County {
    /// On New Year's Day of 2025, at seven in the morning. Ids come from a seed: whatever is ordered by them is ordered
    /// alike on every engine.
    pub async fn found(engine: Engine) -> Self {
        let database = TestDatabase::fresh(engine).await;
        let clock = Arc::new(SimulatedClock::at_shanghai(NaiveDate::from_ymd_opt(2025, 1, 1).unwrap(), 7));
        let surroundings = Surroundings { clock: clock.clone(), randomness: Arc::new(SeededRandomness::new(5)) };
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
        let names = store.housekeeping(|unit| Box::pin(found(unit))).await.unwrap();
        let platforms = platforms(&clock);
        for name in names.values() {
            if let Some(village) = name.strip_suffix("村民群") {
                platforms.add_group(Group::new(village, name));
            } else if name.contains(':') {
                platforms.add_phone(Phone::new(name, name));
            }
        }
        let running = platforms.start("127.0.0.1:0").unwrap();
        let bots = [new_bot(&store, &cache, &running), new_bot(&store, &cache, &running)];
        let county = Self { store, clock, platforms, cache, running, bots, names, killed: 0, _database: database };
        county.everybody_accepts_messages().await;
        county
    }

    fn logins(&self) -> impl Iterator<Item = &String> {
        self.names.values().filter(|name| name.contains(':'))
    }

    async fn everybody_accepts_messages(&self) {
        for login in self.logins() {
            for template in [REMINDER, PROGRESS] {
                let (county, consent) = (CountyId(Uuid::nil()), Consent::new(login, template));
                consents::accepted(&self.store, county, consent, Teller::Platform, ACCEPTS).await.unwrap();
                self.platforms.accept_subscription(login, template, ACCEPTS.into());
            }
        }
    }

    /// Loads the plans that begin today.
    pub async fn campaigns_begin(&self, today: NaiveDate) {
        for (number, letter) in LETTERS.iter().enumerate() {
            let plan = plan(number);
            if plan.starts_on != today {
                continue;
            }
            let id = |name: &str| *self.names.iter().find(|(_, known)| *known == name).unwrap().0;
            let keys = plan.offices.iter().filter(|office| office.role == Some(Role::TownshipOffice));
            let key = keys.map(|office| office.key.clone()).next().unwrap();
            let office = StaffId(id(&format!("{letter}:{key}")));
            let office = people::load_staff(&self.store, office, today).await.unwrap().unwrap();
            campaigns::load_plan(
                &self.store,
                &Calendar::shipped(),
                &Command::by(&Actor::Staff(office)),
                OrganizationId(id(&format!("{letter}镇"))),
                plan,
                SHIPPED_PLANS[number].text.to_owned(),
            )
            .await
            .unwrap();
        }
    }

    pub async fn bots_work(&self) {
        for bot in &self.bots {
            bot.tick().await.unwrap();
        }
        self.cache.leases_run_out().await;
    }

    /// One bot dies while a card is on its way, if there is one to be sent now; the other goes on.
    pub async fn kill_a_bot(&mut self) {
        let slow = FaultKind::Delay { milliseconds: 60_000 };
        let slow = PlatformFault::new(Platform::WeChat, slow).at("/cgi-bin/message/subscribe/send").times(1);
        let fault = self.platforms.inject(slow);
        self.cache.remove(&format!("wechat_token:{}", Account::default().app_id)).await.unwrap();
        let cards = || {
            let to_people = |delivery: &qingfeng_sandbox::Delivery| matches!(delivery.to, Recipient::Phone(_));
            self.platforms.deliveries().iter().filter(|delivery| to_people(delivery)).count()
        };
        let before = cards();
        let bot = Arc::clone(&self.bots[0]);
        let work = tokio::spawn(async move { bot.tick().await });
        let died = loop {
            if cards() > before {
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
        self.killed += usize::from(died);
        self.platforms.end_fault(fault);
        self.cache.leases_run_out().await;
        self.bots[0] = new_bot(&self.store, &self.cache, &self.running);
        self.bots[1].tick().await.unwrap();
        self.cache.leases_run_out().await;
    }

    /// Most hand in two days ahead; some on the day, some three days late, a few never.
    pub async fn hand_in(&self, today: NaiveDate) {
        let open = deadline::Entity::find()
            .filter(deadline::Column::Status.eq(DeadlineStatus::Open))
            .filter(deadline::Column::DueOn.lte(today + Days::new(2)))
            .all(self.store.reader())
            .await
            .unwrap();
        for deadline in open {
            let duty = duties::Entity::find_by_id(DutyId(deadline.subject_id)).one(self.store.reader()).await.unwrap();
            let duty = duty.unwrap();
            let unit = &self.names[&duty.unit_id.0];
            let days = match duty.duty_key.bytes().chain(unit.bytes()).map(u32::from).sum::<u32>() % 12 {
                0 | 1 => 3,
                2 | 3 => 0,
                4 => continue,
                _ => -2,
            };
            if (today - deadline.due_on.unwrap()).num_days() < days {
                continue;
            }
            let id = duty.id;
            self.store
                .housekeeping(move |unit| {
                    Box::pin(async move { deadlines::end(unit, id.into(), Some("duty"), DeadlineStatus::Met).await })
                })
                .await
                .unwrap();
        }
    }

    /// Recipient, kind and state of every message there ever was.
    pub async fn messages(&self) -> Vec<(String, String, String)> {
        let messages = outbox::entity::Entity::find().all(self.store.reader()).await.unwrap();
        let line = |message: outbox::entity::Model| {
            let state = serde_json::to_value(message.state).unwrap().as_str().unwrap().to_owned();
            (self.names[&message.recipient_id].clone(), message.kind, state)
        };
        messages.into_iter().map(line).collect()
    }

    /// Cards and posts that the ledger says were taken.
    pub async fn taken(&self) -> usize {
        let sent = outbox::entity::Entity::find()
            .filter(outbox::entity::Column::State.eq(MessageState::Sent))
            .all(self.store.reader())
            .await
            .unwrap();
        let (posts, cards): (Vec<_>, Vec<_>) =
            sent.into_iter().partition(|message| message.recipient_kind == RecipientKind::Group);
        let mut cards: Vec<_> = cards.into_iter().map(|message| (message.recipient_id, message.sent_at)).collect();
        cards.sort_unstable();
        cards.dedup();
        posts.len() + cards.len()
    }
}
