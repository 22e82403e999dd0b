//! Who lives and works in the demo township.

use chrono::NaiveDate;
use qingfeng_core::{
    groups::{self, GroupChannel, NewGroup, RobotKey},
    ids::{CountyId, OrganizationId, ResidentId, StaffId},
    people::{
        OrganizationKind, Role, RosterGroup, password,
        roster::{self, NewOrganization, NewPost, NewResident, NewStaff},
    },
    randomness::SeededRandomness,
    refusal::Fault,
    storage::UnitOfWork,
};

use super::{
    COUNTY_CODE,
    names::{DEPARTMENTS, VILLAGES, name},
};
use crate::Application;

/// Everybody's password in the demo.
pub const PASSWORD: &str = "qingfeng-demo";

/// Code of the demo's township.
pub(super) const TOWNSHIP_CODE: &str = "yunxi";

/// Who opens sealed reports.
pub(super) const DISCIPLINE: &str = "discipline";
pub(super) const COUNTY_DISCIPLINE: &str = "discipline-county";

const RESIDENTS_PER_VILLAGE: usize = 50;
/// So many residents of each village have a simulated phone.
pub(super) const PHONES_PER_VILLAGE: usize = 5;

/// A member of staff to sign in as.
#[derive(Clone, Debug)]
pub struct Account {
    pub login: String,
    pub label: String,
    role: Role,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Township,
    Village(usize),
    Department(usize),
    County,
}

impl Account {
    /// The authenticator's secret: 20 bytes that depend on the login.
    #[must_use]
    pub fn totp_secret(&self) -> Vec<u8> {
        format!("{:.<20}", self.login).into_bytes()
    }

    /// The simulated phone.
    #[must_use]
    pub fn open_id(&self) -> String {
        format!("phone-{}", self.login)
    }
}

/// All accounts of the demo.
#[must_use]
pub fn accounts() -> Vec<Account> {
    let account = |login: &str, label: &str, role, place| Account {
        login: login.to_owned(),
        label: label.to_owned(),
        role,
        place,
    };
    let mut accounts = vec![
        account("office", "镇专项行动办", Role::TownshipOffice, Place::Township),
        account("office-2", "镇专项行动办副主任", Role::TownshipOffice, Place::Township),
        account("leader", "镇分管领导", Role::TownshipLeader, Place::Township),
        account("inspector", "县级抽评员", Role::CountyInspector, Place::County),
        account("groups", "群管理员", Role::GroupAdministrator, Place::Township),
        account("system", "系统管理员", Role::SystemAdministrator, Place::County),
    ];
    for (number, village) in VILLAGES.iter().enumerate() {
        let (secretary, helper) = (format!("secretary-{:02}", number + 1), format!("cadre-{:02}", number + 1));
        accounts.push(account(
            &secretary,
            &format!("{village}党支部书记"),
            Role::VillageSecretary,
            Place::Village(number),
        ));
        accounts.push(account(&helper, &format!("{village}村干部"), Role::VillageStaff, Place::Village(number)));
    }
    for (number, department) in DEPARTMENTS.iter().enumerate() {
        let login = format!("dept-{:02}", number + 1);
        accounts.push(account(
            &login,
            &format!("{department}承办人"),
            Role::DepartmentHandler,
            Place::Department(number),
        ));
    }
    // At the end, so that everybody else keeps the name that chance gave.
    accounts.push(account(DISCIPLINE, "镇纪委", Role::DisciplinaryOfficer, Place::Township));
    accounts.push(account(COUNTY_DISCIPLINE, "县纪委监委", Role::DisciplinaryOfficer, Place::County));
    accounts
}

/// The demo township, as the seeding of its history needs it.
pub(super) struct DemoTownship {
    pub(super) county: CountyId,
    /// The county itself, as a place.
    pub(super) above: OrganizationId,
    pub(super) id: OrganizationId,
    pub(super) villages: Vec<OrganizationId>,
    pub(super) residents: Vec<Vec<ResidentId>>,
    pub(super) staff: Vec<(String, StaffId)>,
}

impl DemoTownship {
    pub(super) fn staff(&self, login: &str) -> StaffId {
        self.staff
            .iter()
            .find(|(known, _)| known == login)
            .map(|(_, id)| *id)
            .expect("the demo's accounts are all seeded")
    }
}

/// Residents of this village also have a chat group that no program may write to: somebody forwards its posts.
const VILLAGE_WITH_AN_ORDINARY_GROUP: usize = 2;

/// The key of a village group's robot, and the simulated phone of a resident.
pub(super) fn robot_key(village: usize) -> String {
    format!("demo-group-{:02}", village + 1)
}

pub(super) fn resident_phone(village: usize, number: usize) -> String {
    format!("phone-resident-{:02}-{}", village + 1, number + 1)
}

pub(super) async fn seed(application: &Application) -> anyhow::Result<DemoTownship> {
    let password_hash = password::hash(PASSWORD, application.store.randomness()).await?;
    let sealer = application.sealer.clone();
    let township = application
        .store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let chance = SeededRandomness::new(20_221_201);
                let chance: &dyn qingfeng_core::randomness::Randomness = &chance;
                let other_chance = SeededRandomness::new(20_221_202);
                let county = CountyId::new(unit.randomness(), unit.now());
                let places = organizations(unit, county).await?;
                let mut staff = Vec::new();
                for account in accounts() {
                    let is_officer = account.role == Role::DisciplinaryOfficer;
                    let new = NewStaff {
                        name: name(if is_officer { &other_chance } else { chance }),
                        login: account.login.clone(),
                        password_hash: password_hash.clone(),
                        totp_secret: account.totp_secret(),
                        open_id: Some(account.open_id()),
                    };
                    let id = roster::add_staff(unit, county, &sealer, new).await?;
                    let organization = match account.place {
                        Place::Township => places.township,
                        Place::Village(number) => places.villages[number],
                        Place::Department(number) => places.departments[number],
                        Place::County => places.county,
                    };
                    let from = NaiveDate::from_ymd_opt(2021, 3, 1).unwrap_or_default();
                    let post =
                        NewPost { staff: id, organization, role: account.role, title: account.label, from, to: None };
                    roster::add_post(unit, county, post).await?;
                    staff.push((account.login, id));
                }
                let mut residents = Vec::new();
                for (number, village) in places.villages.iter().enumerate() {
                    let mut people = Vec::new();
                    for resident in 0..RESIDENTS_PER_VILLAGE {
                        let new = NewResident {
                            township: places.township,
                            village: *village,
                            name: name(chance),
                            neighbourhood: format!("{}组", resident % 6 + 1),
                            // Those with a phone, the first ones, are ordinary residents.
                            group: match RESIDENTS_PER_VILLAGE - resident {
                                1..=6 => RosterGroup::PartyMember,
                                7..=10 => RosterGroup::Representative,
                                11 => RosterGroup::Deputy,
                                _ => RosterGroup::Resident,
                            },
                            also_staff: None,
                            open_id: (resident < PHONES_PER_VILLAGE).then(|| resident_phone(number, resident)),
                        };
                        people.push(roster::add_resident(unit, county, new).await?);
                    }
                    residents.push(people);
                    let group = NewGroup {
                        township: places.township,
                        village: *village,
                        name: format!("{}村民群", VILLAGES[number]),
                        channel: GroupChannel::WecomRobot(RobotKey::new(robot_key(number))),
                    };
                    groups::add(unit, county, &sealer, group).await?;
                    if number == VILLAGE_WITH_AN_ORDINARY_GROUP {
                        let group = NewGroup {
                            township: places.township,
                            village: *village,
                            name: format!("{}老乡群", VILLAGES[number]),
                            channel: GroupChannel::OrdinaryChat,
                        };
                        groups::add(unit, county, &sealer, group).await?;
                    }
                }
                let (above, id, villages) = (places.county, places.township, places.villages);
                Ok(DemoTownship { county, above, id, villages, residents, staff })
            })
        })
        .await?;
    Ok(township)
}

struct Places {
    county: OrganizationId,
    township: OrganizationId,
    villages: Vec<OrganizationId>,
    departments: Vec<OrganizationId>,
}

async fn organizations(unit: &UnitOfWork, county: CountyId) -> Result<Places, Fault> {
    let add = |parent, kind, name: &str, code: String| {
        roster::add_organization(unit, county, NewOrganization { parent, kind, name: name.to_owned(), code })
    };
    let above = add(None, OrganizationKind::County, "清和县（演示）", COUNTY_CODE.into()).await?;
    let township = add(Some(above), OrganizationKind::Township, "云溪镇", TOWNSHIP_CODE.into()).await?;
    let (mut villages, mut departments) = (Vec::new(), Vec::new());
    for (number, village) in VILLAGES.iter().enumerate() {
        let code = format!("yunxi-v{:02}", number + 1);
        villages.push(add(Some(township), OrganizationKind::Village, village, code).await?);
    }
    for (number, department) in DEPARTMENTS.iter().enumerate() {
        let code = format!("yunxi-d{:02}", number + 1);
        departments.push(add(Some(township), OrganizationKind::Department, department, code).await?);
    }
    Ok(Places { county: above, township, villages, departments })
}
