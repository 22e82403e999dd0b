//! Two villages, seven members of staff, their phones and chat groups, and the two bots.

use std::{collections::HashMap, sync::Arc};

use chrono::NaiveDate;
use qingfeng_core::{
    calendar::Calendar,
    campaigns::{self, SHIPPED_PLANS},
    groups::{self, GroupChannel, NewGroup, RobotKey},
    ids::{CountyId, OrganizationId, StaffId},
    outbox,
    people::{
        self, Actor, OrganizationKind, Role,
        roster::{self, NewOrganization, NewPost, NewStaff},
    },
    randomness::SystemRandomness,
    refusal::Fault,
    storage::{Command, Engine, UnitOfWork},
};
use qingfeng_sandbox::{Delivery, Group, Phone, Recipient};
use sea_orm::EntityTrait;
use uuid::Uuid;

use crate::two_bots::{TwoBots, sealer};

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

const VILLAGES: [&str; 2] = ["东河村", "西坡村"];

pub struct Township {
    pub bots: TwoBots,
    names: HashMap<Uuid, String>,
}

impl Township {
    /// On 2025-01-15, the first day of the campaign, at seven in the morning.
    pub async fn found(engine: Engine) -> Self {
        let day = NaiveDate::from_ymd_opt(2025, 1, 15).unwrap();
        let bots = TwoBots::on(engine, day, Arc::new(SystemRandomness)).await;
        for (login, title, ..) in STAFF {
            bots.platforms.add_phone(Phone::new(login, title));
        }
        for village in VILLAGES {
            bots.platforms.add_group(Group::new(village, format!("{village}村民群")));
        }
        let names = bots.store.housekeeping(|unit| Box::pin(people_and_places(unit))).await.unwrap();
        bots.accept_cards(STAFF.iter().map(|(login, ..)| *login)).await;
        let township = Self { bots, names };
        township.begin_the_campaign().await;
        township
    }

    pub fn name_of(&self, id: Uuid) -> &str {
        &self.names[&id]
    }

    fn id_of(&self, name: &str) -> Uuid {
        *self.names.iter().find(|(_, known)| *known == name).unwrap().0
    }

    async fn begin_the_campaign(&self) {
        let plan = SHIPPED_PLANS[0].text;
        let today = NaiveDate::from_ymd_opt(2025, 1, 15).unwrap();
        let office = people::load_staff(&self.bots.store, StaffId(self.id_of("office")), today).await.unwrap().unwrap();
        campaigns::load_plan(
            &self.bots.store,
            &Calendar::shipped(),
            &Command::by(&Actor::Staff(office)),
            OrganizationId(self.id_of("云溪镇")),
            campaigns::read(plan).unwrap().moved_to_year(2025),
            plan.to_owned(),
        )
        .await
        .unwrap();
    }

    /// Recipient, kind and state of every message there ever was.
    pub async fn messages(&self) -> Vec<(String, String, String)> {
        let messages = outbox::entity::Entity::find().all(self.bots.store.reader()).await.unwrap();
        let line = |message: outbox::entity::Model| {
            let state = serde_json::to_value(message.state).unwrap().as_str().unwrap().to_owned();
            (self.name_of(message.recipient_id).to_owned(), message.kind, state)
        };
        messages.into_iter().map(line).collect()
    }

    /// On whose phone or in which group: once for every card and post that arrived.
    pub fn arrived(&self) -> Vec<String> {
        let to = |delivery: Delivery| match delivery.to {
            Recipient::Phone(phone) => phone,
            Recipient::Group(village) => format!("{village}村民群"),
            Recipient::Account(_) | Recipient::MiniProgram(_) | Recipient::WeComUser(_) => {
                unreachable!("nobody uses these here")
            }
        };
        self.bots.platforms.deliveries().into_iter().map(to).collect()
    }
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
