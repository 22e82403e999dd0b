//! A county of five townships, each with one of the five plans, its offices held as the plan names them; two villages, a chat
//! group in each, and two bots for all.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use chrono::{Days, NaiveDate};
use qingfeng_core::{
    calendar::Calendar,
    campaigns::{
        self, Plan, SHIPPED_PLANS,
        entity::duties,
        plan::{Office, Place},
    },
    deadlines::{self, DeadlineStatus, entity::deadlines as deadline},
    groups::{self, GroupChannel, NewGroup, RobotKey},
    ids::{CountyId, DutyId, OrganizationId, StaffId},
    outbox::{self, MessageState, RecipientKind},
    people::{
        self, Actor, OrganizationKind, Role,
        entity::staff,
        roster::{self, NewOrganization, NewPost, NewStaff},
    },
    randomness::SeededRandomness,
    refusal::Fault,
    storage::{Command, Engine, UnitOfWork},
};
use qingfeng_sandbox::{Group, Phone};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use uuid::Uuid;

use crate::two_bots::{TwoBots, sealer};

const LETTERS: [&str; 5] = ["A", "B", "C", "D", "E"];

/// Townships whose staff are told through WeCom.
const AT_WECOM: [char; 2] = ['D', 'E'];

pub struct County {
    pub bots: TwoBots,
    names: HashMap<Uuid, String>,
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

async fn join_wecom(bots: &TwoBots, id: StaffId, member: String) {
    let join = staff::Entity::update_many()
        .col_expr(staff::Column::WecomUserId, Expr::value(member))
        .filter(staff::Column::Id.eq(id));
    let joined = bots.store.housekeeping(|unit| {
        Box::pin(async move {
            join.exec(unit.connection()).await?;
            Ok(())
        })
    });
    joined.await.unwrap();
}

impl County {
    /// On New Year's Day of 2025, at seven in the morning. Ids come from a seed: whatever is ordered by them is ordered
    /// alike on every engine.
    pub async fn found(engine: Engine) -> Self {
        let day = NaiveDate::from_ymd_opt(2025, 1, 1).unwrap();
        let bots = TwoBots::on(engine, day, Arc::new(SeededRandomness::new(5))).await;
        let names = bots.store.housekeeping(|unit| Box::pin(found(unit))).await.unwrap();
        let mut sorted: Vec<_> = names.iter().collect();
        sorted.sort_unstable_by_key(|(_, name)| *name);
        for (number, (id, name)) in sorted.into_iter().enumerate() {
            if let Some(village) = name.strip_suffix("村民群") {
                bots.platforms.add_group(Group::new(village, name));
            } else if name.contains(':') && name.starts_with(AT_WECOM) {
                let member = format!("member-{number}");
                bots.platforms.add_phone(Phone::new(name, name).at_wecom(&member));
                join_wecom(&bots, StaffId(*id), member).await;
            } else if name.contains(':') {
                bots.platforms.add_phone(Phone::new(name, name));
            }
        }
        bots.accept_cards(names.values().filter(|name| name.contains(':')).map(String::as_str)).await;
        Self { bots, names }
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
            let office = people::load_staff(&self.bots.store, office, today).await.unwrap().unwrap();
            campaigns::load_plan(
                &self.bots.store,
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

    /// Most hand in two days ahead; some on the day, some three days late, a few never.
    pub async fn hand_in(&self, today: NaiveDate) {
        let open = deadline::Entity::find()
            .filter(deadline::Column::Status.eq(DeadlineStatus::Open))
            .filter(deadline::Column::DueOn.lte(today + Days::new(2)))
            .all(self.bots.store.reader())
            .await
            .unwrap();
        for deadline in open {
            let duty =
                duties::Entity::find_by_id(DutyId(deadline.subject_id)).one(self.bots.store.reader()).await.unwrap();
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
            self.bots
                .store
                .housekeeping(move |unit| {
                    Box::pin(async move { deadlines::end(unit, id.into(), Some("duty"), DeadlineStatus::Met).await })
                })
                .await
                .unwrap();
        }
    }

    /// Recipient, kind and state of every message there ever was.
    pub async fn messages(&self) -> Vec<(String, String, String)> {
        let messages = outbox::entity::Entity::find().all(self.bots.store.reader()).await.unwrap();
        let line = |message: outbox::entity::Model| {
            let state = serde_json::to_value(message.state).unwrap().as_str().unwrap().to_owned();
            (self.names[&message.recipient_id].clone(), message.kind, state)
        };
        messages.into_iter().map(line).collect()
    }

    /// Cards and posts whose end the ledger says is this.
    pub async fn ended(&self, state: MessageState) -> usize {
        let ended = outbox::entity::Entity::find()
            .filter(outbox::entity::Column::State.eq(state))
            .all(self.bots.store.reader())
            .await
            .unwrap();
        let (posts, cards): (Vec<_>, Vec<_>) =
            ended.into_iter().partition(|message| message.recipient_kind == RecipientKind::Group);
        let cards: HashSet<_> = cards.into_iter().map(|message| message.card_id.expect("it left in a card")).collect();
        posts.len() + cards.len()
    }
}
