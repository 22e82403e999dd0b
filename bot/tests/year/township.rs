//! Two villages, seven members of staff, their phones and chat groups, and the two bots.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::NaiveDate;
use qingfeng_bot::{Bot, BotSettings, PlatformSettings};
use qingfeng_core::{
    cache::{Cache, MemoryCache, RedisCache},
    calendar::Calendar,
    campaigns::{self, SHIPPED_PLANS},
    clock::{Clock, SimulatedClock},
    evidence::Darkroom,
    groups::{self, GroupChannel, NewGroup, RobotKey},
    ids::{CountyId, OrganizationId, StaffId},
    outbox::{
        self,
        consents::{self, Consent, Teller, Validity},
    },
    people::{
        self, Actor, OrganizationKind, Role,
        roster::{self, NewOrganization, NewPost, NewStaff},
    },
    randomness::SystemRandomness,
    refusal::Fault,
    sealing::Sealer,
    storage::{Command, DatabaseSettings, Engine, Store, Surroundings, UnitOfWork},
};
use qingfeng_sandbox::{
    Account, Fault as PlatformFault, FaultKind, Group, Phone, Platform, Recipient, RunningSandbox, Sandbox,
    SandboxSettings, Template,
};
use sea_orm::EntityTrait;
use uuid::Uuid;

use crate::{engines::TestDatabase, shared_cache::SharedCache};

pub const REMINDER: &str = "template-reminder";
pub const PROGRESS: &str = "template-progress";
/// More than a year needs.
const ACCEPTS: u16 = 10_000;

const STAFF: [(&str, &str, Role, &str); 8] = [
    ("office", "镇专项行动办", Role::TownshipOffice, "云溪镇"),
    ("discipline-secretary", "镇纪委书记", Role::TownshipLeader, "云溪镇"),
    ("deputy", "镇党委副书记", Role::TownshipLeader, "云溪镇"),
    ("organization-member", "镇党委组织委员", Role::TownshipLeader, "云溪镇"),
    ("secretary-1", "东河村党支部书记", Role::VillageSecretary, "东河村"),
    ("cadre-1", "东河村村干部", Role::VillageStaff, "东河村"),
    // The second village has no other cadre: what a cadre owes, its secretary is reminded of.
    ("secretary-2", "西坡村党支部书记", Role::VillageSecretary, "西坡村"),
    ("discipline", "镇纪委", Role::DisciplinaryOfficer, "云溪镇"),
];

pub const VILLAGES: [&str; 2] = ["东河村", "西坡村"];

pub struct Township {
    pub store: Store,
    pub clock: Arc<SimulatedClock>,
    pub platforms: Sandbox,
    cache: Arc<SharedCache>,
    running: RunningSandbox,
    bots: [Arc<Bot>; 2],
    names: HashMap<Uuid, String>,
    _database: TestDatabase,
}

pub fn sealer() -> Sealer {
    Sealer::new(&[9; 32])
}

impl Township {
    /// On 2025-01-15, the first day of the campaign, at seven in the morning.
    pub async fn found(engine: Engine) -> Self {
        let database = TestDatabase::fresh(engine).await;
        let clock = Arc::new(SimulatedClock::at_shanghai(NaiveDate::from_ymd_opt(2025, 1, 15).unwrap(), 7));
        let surroundings = Surroundings { clock: clock.clone(), randomness: Arc::new(SystemRandomness) };
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
        let names = store.housekeeping(|unit| Box::pin(people_and_places(unit))).await.unwrap();
        let bots = [new_bot(&store, &cache, &running), new_bot(&store, &cache, &running)];
        let township = Self { store, clock, platforms, cache, running, bots, names, _database: database };
        township.everybody_accepts_messages().await;
        township.begin_the_campaign().await;
        township
    }

    pub fn name_of(&self, id: Uuid) -> &str {
        &self.names[&id]
    }

    fn id_of(&self, name: &str) -> Uuid {
        *self.names.iter().find(|(_, known)| *known == name).unwrap().0
    }

    async fn everybody_accepts_messages(&self) {
        let county = CountyId(Uuid::nil());
        for (login, ..) in STAFF {
            for template in [REMINDER, PROGRESS] {
                let consent = Consent::new(login, template);
                consents::accepted(&self.store, county, consent, Teller::Platform, ACCEPTS).await.unwrap();
                self.platforms.accept_subscription(login, template, ACCEPTS.into());
            }
        }
    }

    async fn begin_the_campaign(&self) {
        let plan = SHIPPED_PLANS[0].text;
        let today = NaiveDate::from_ymd_opt(2025, 1, 15).unwrap();
        let office = people::load_staff(&self.store, StaffId(self.id_of("office")), today).await.unwrap().unwrap();
        campaigns::load_plan(
            &self.store,
            &Calendar::shipped(),
            &Command::by(&Actor::Staff(office)),
            OrganizationId(self.id_of("云溪镇")),
            campaigns::read(plan).unwrap().moved_to_year(2025),
            plan.to_owned(),
        )
        .await
        .unwrap();
    }

    pub async fn bots_work(&self) {
        for bot in &self.bots {
            bot.tick().await.unwrap();
        }
        self.cache.leases_run_out().await;
    }

    /// The platform takes the card, and the bot dies before it can write that down.
    pub async fn kill_a_bot_while_a_card_is_on_its_way(&mut self) {
        let slow = FaultKind::Delay { milliseconds: 60_000 };
        let slow = PlatformFault::new(Platform::WeChat, slow).at("/cgi-bin/message/subscribe/send").times(1);
        let fault = self.platforms.inject(slow);
        // Its first call is to be the card, not one with a token that has run out.
        self.cache.remove(&format!("wechat_token:{}", Account::default().app_id)).await.unwrap();
        let before = self.platforms.deliveries().len();
        let bot = Arc::clone(&self.bots[0]);
        let work = tokio::spawn(async move { bot.tick().await });
        while self.platforms.deliveries().len() == before {
            assert!(
                !work.is_finished(),
                "a card was due: {:?} {:?} {}",
                work.await,
                self.clock.now(),
                self.messages().await.len()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        work.abort();
        assert!(work.await.unwrap_err().is_cancelled());
        self.platforms.end_fault(fault);
        self.cache.leases_run_out().await;
        self.bots[0] = new_bot(&self.store, &self.cache, &self.running);
        self.bots[1].tick().await.unwrap();
    }

    /// Recipient, kind and state of every message there ever was.
    pub async fn messages(&self) -> Vec<(String, String, String)> {
        let messages = outbox::entity::Entity::find().all(self.store.reader()).await.unwrap();
        let line = |message: outbox::entity::Model| {
            let state = serde_json::to_value(message.state).unwrap().as_str().unwrap().to_owned();
            (self.name_of(message.recipient_id).to_owned(), message.kind, state)
        };
        messages.into_iter().map(line).collect()
    }
}

impl Township {
    /// On whose phone or in which group: once for every card and post that arrived.
    pub fn arrived(&self) -> Vec<String> {
        let to = |delivery: qingfeng_sandbox::Delivery| match delivery.to {
            Recipient::Phone(phone) => phone,
            Recipient::Group(village) => format!("{village}村民群"),
            Recipient::Account(_) | Recipient::WeComUser(_) => unreachable!("nobody uses these here"),
        };
        self.platforms.deliveries().into_iter().map(to).collect()
    }
}

pub fn new_bot(store: &Store, cache: &Arc<SharedCache>, running: &RunningSandbox) -> Arc<Bot> {
    let account = Account::default();
    let settings = BotSettings {
        template_failures: 5,
        reviewing: qingfeng_bot::Reviewing::SecondPerson,
        public_url: "http://127.0.0.1:8080".into(),
        platforms: PlatformSettings {
            wechat_api_base: running.wechat_base(),
            wecom_api_base: running.wecom_base(),
            dingtalk_api_base: running.dingtalk_base(),
            feishu_api_base: running.feishu_base(),
            wecom_app: None,
            app_id: account.app_id,
            app_secret: account.app_secret,
            reminder_template: REMINDER.into(),
            progress_template: PROGRESS.into(),
            consents: Validity::Once,
        },
    };
    // Nobody sends photos here.
    let files = qingfeng_core::files::open(&format!("file://{}", std::env::temp_dir().join("qingfeng-year").display()));
    let darkroom = Arc::new(Darkroom::new(files.unwrap()));
    Arc::new(Bot::new(store.clone(), cache.clone(), sealer(), darkroom, settings).unwrap())
}

pub fn platforms(clock: &Arc<SimulatedClock>) -> Sandbox {
    let clock = clock.clone();
    let settings = SandboxSettings {
        clock: Arc::new(move || clock.now()),
        phones: STAFF.iter().map(|(login, title, ..)| Phone::new(*login, *title)).collect(),
        groups: VILLAGES.iter().map(|village| Group::new(*village, format!("{village}村民群"))).collect(),
        templates: vec![
            Template::new(REMINDER, "待办提醒")
                .with_field("thing1", "事项")
                .with_field("date2", "期限")
                .with_field("thing3", "提示")
                .with_field("thing4", "原因"),
            Template::new(PROGRESS, "进展通知")
                .with_field("thing1", "事项")
                .with_field("thing2", "进展")
                .with_field("thing3", "原因"),
        ],
        ..SandboxSettings::default()
    };
    Sandbox::new(settings)
}

async fn people_and_places(unit: &UnitOfWork) -> Result<HashMap<Uuid, String>, Fault> {
    let county = CountyId::new(unit.randomness(), unit.now());
    let mut names = HashMap::new();
    let mut places: HashMap<&str, OrganizationId> = HashMap::new();
    for (name, kind, above) in [
        ("清和县", OrganizationKind::County, None),
        ("云溪镇", OrganizationKind::Township, Some("清和县")),
        ("东河村", OrganizationKind::Village, Some("云溪镇")),
        ("西坡村", OrganizationKind::Village, Some("云溪镇")),
    ] {
        let parent = above.map(|above| places[above]);
        let new = NewOrganization { parent, kind, name: name.to_owned(), code: name.to_owned() };
        let id = roster::add_organization(unit, county, new).await?;
        places.insert(name, id);
        names.insert(id.0, name.to_owned());
    }
    for (login, title, role, place) in STAFF {
        let new = NewStaff {
            name: "测试干部".into(),
            login: login.into(),
            password_hash: "nobody signs in here".into(),
            totp_secret: vec![1; 20],
            open_id: Some(login.into()),
        };
        let staff = roster::add_staff(unit, county, &sealer(), new).await?;
        let from = NaiveDate::from_ymd_opt(2021, 3, 1).unwrap();
        let post = NewPost { staff, organization: places[place], role, title: title.into(), from, to: None };
        roster::add_post(unit, county, post).await?;
        names.insert(staff.0, login.to_owned());
    }
    for village in VILLAGES {
        let new = NewGroup {
            township: places["云溪镇"],
            village: places[village],
            name: format!("{village}村民群"),
            channel: GroupChannel::WecomRobot(RobotKey::new(village)),
        };
        let id = groups::add(unit, county, &sealer(), new).await?;
        names.insert(id.0, format!("{village}村民群"));
    }
    Ok(names)
}
