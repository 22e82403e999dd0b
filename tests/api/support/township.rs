use chrono::NaiveDate;
use qingfeng_core::{
    groups::{self, GroupChannel, NewGroup, RobotKey},
    ids::{CountyId, GroupId, OrganizationId, ResidentId, StaffId},
    people::{
        Actor, OrganizationKind, PersonKind, Role, RosterGroup,
        account_links::{self, AccountIdentity},
        entity::{organizations, staff},
        roster::{self, NewOrganization, NewPost, NewResident, NewStaff},
        sessions::Person as Identity,
    },
    refusal::Fault,
    storage::{Command, UnitOfWork},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use uuid::Uuid;

use super::{Person, TestServer};

/// The password and the authenticator secret of everybody in tests.
pub const PASSWORD: &str = "correct horse battery";
pub const TOTP_SECRET: &[u8] = b"twenty bytes of test";

/// A county with one township.
pub struct Township<'a> {
    pub server: &'a TestServer,
    pub county: CountyId,
    pub id: OrganizationId,
}

#[derive(Clone, Copy, Debug)]
pub struct Village {
    pub id: OrganizationId,
}

impl<'a> Township<'a> {
    pub async fn found(server: &'a TestServer) -> Self {
        let county = CountyId(Uuid::now_v7());
        let above = organization(server, county, None, OrganizationKind::County, "清和县").await;
        let id = organization(server, county, Some(above), OrganizationKind::Township, "云溪镇").await;
        Self { server, county, id }
    }

    pub async fn village(&self, name: &str) -> Village {
        Village { id: organization(self.server, self.county, Some(self.id), OrganizationKind::Village, name).await }
    }

    /// The township's code.
    pub async fn code(&self) -> String {
        let connection = self.server.application.store.reader();
        organizations::Entity::find_by_id(self.id).one(connection).await.unwrap().unwrap().code
    }

    pub async fn department(&self, name: &str) -> OrganizationId {
        organization(self.server, self.county, Some(self.id), OrganizationKind::Department, name).await
    }

    /// Somebody of the township office, and the like.
    pub async fn staff(&self, role: Role) -> Person {
        self.staff_of(self.id, role).await.0
    }

    /// A member of staff in a post of this organization.
    pub async fn staff_of(&self, organization: OrganizationId, role: Role) -> (Person, StaffId) {
        let (county, login) = (self.county, format!("staff-{}", Uuid::now_v7()));
        let (id, _) = self.add_staff(organization, role, &login).await;
        (self.server.signed_in(Identity { county, kind: PersonKind::Staff, id: id.0 }).await, id)
    }

    /// A member of staff with password and authenticator, not signed in.
    pub async fn add_staff(&self, organization: OrganizationId, role: Role, login: &str) -> (StaffId, String) {
        let (county, sealer, login) = (self.county, self.server.application.sealer.clone(), login.to_owned());
        let known = login.clone();
        // The same for all: hashing is slow on purpose.
        let password_hash = password_hash().await;
        let id = self
            .write(move |unit| {
                Box::pin(async move {
                    let staff = NewStaff {
                        name: "测试干部".into(),
                        login,
                        password_hash,
                        totp_secret: TOTP_SECRET.to_vec(),
                        open_id: None,
                    };
                    let staff = roster::add_staff(unit, county, &sealer, staff).await?;
                    let from = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap();
                    let post = NewPost { staff, organization, role, title: role.label().to_owned(), from, to: None };
                    roster::add_post(unit, county, post).await?;
                    Ok(staff)
                })
            })
            .await;
        (id, known)
    }

    /// One more post for somebody who has one.
    pub async fn also_holds(&self, staff: StaffId, organization: OrganizationId, role: Role) {
        let county = self.county;
        self.write(move |unit| {
            Box::pin(async move {
                let from = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap();
                let post = NewPost { staff, organization, role, title: role.label().to_owned(), from, to: None };
                roster::add_post(unit, county, post).await.map(|_| ())
            })
        })
        .await;
    }

    /// A village secretary with a phone.
    pub async fn add_staff_with_phone(&self, village: OrganizationId, open_id: &str) -> StaffId {
        let (id, _) = self.add_staff(village, Role::VillageSecretary, &format!("staff-{}", Uuid::now_v7())).await;
        self.with_phone(id, open_id).await;
        id
    }

    /// From now on WeChat knows the member of staff by this identity.
    pub async fn with_phone(&self, id: StaffId, open_id: &str) {
        let open_id = open_id.to_owned();
        self.write(move |unit| {
            Box::pin(async move {
                staff::Entity::update_many()
                    .col_expr(staff::Column::OpenId, Expr::value(open_id))
                    .filter(staff::Column::Id.eq(id))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await;
    }

    /// From now on the member of staff has this name.
    pub async fn named(&self, id: StaffId, name: &'static str) {
        self.write(move |unit| {
            Box::pin(async move {
                staff::Entity::update_many()
                    .col_expr(staff::Column::Name, Expr::value(name))
                    .filter(staff::Column::Id.eq(id))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await;
    }

    /// From now on WeCom knows the member of staff by this name.
    pub async fn at_wecom(&self, person: StaffId, user_id: &'static str) {
        self.write(move |unit| {
            Box::pin(async move {
                staff::Entity::update_many()
                    .col_expr(staff::Column::WecomUserId, Expr::value(user_id))
                    .filter(staff::Column::Id.eq(person))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await;
    }

    pub async fn resident(&self, village: Village) -> (Person, ResidentId) {
        let id = self.add_resident(village, None, None).await;
        (self.signed_in_as(id).await, id)
    }

    pub async fn signed_in_as(&self, resident: ResidentId) -> Person {
        let identity = Identity { county: self.county, kind: PersonKind::Resident, id: resident.0 };
        self.server.signed_in(identity).await
    }

    /// Who has a phone has bound the chat with the official account, too.
    pub async fn add_resident(
        &self,
        village: Village,
        open_id: Option<&str>,
        also_staff: Option<StaffId>,
    ) -> ResidentId {
        let id = self.add_resident_without_chat(village, open_id, also_staff).await;
        if let (Some(open_id), Some(account)) = (open_id, &self.server.application.config.official_account) {
            let identity = AccountIdentity {
                app_id: account.app_id.clone(),
                open_id: qingfeng_sandbox::official_openid(&account.app_id, open_id),
            };
            let own = Identity { county: self.county, kind: PersonKind::Resident, id: id.0 };
            self.write(move |unit| Box::pin(async move { account_links::add(unit, own, &identity).await })).await;
        }
        id
    }

    /// Somebody whom the official account does not know.
    pub async fn add_resident_without_chat(
        &self,
        village: Village,
        open_id: Option<&str>,
        also_staff: Option<StaffId>,
    ) -> ResidentId {
        let (county, township, open_id) = (self.county, self.id, open_id.map(str::to_owned));
        self.write(move |unit| {
            let resident = NewResident {
                township,
                village: village.id,
                name: "测试村民".into(),
                neighbourhood: "三组".into(),
                group: RosterGroup::Resident,
                also_staff,
                open_id,
            };
            Box::pin(roster::add_resident(unit, county, resident))
        })
        .await
    }

    /// A chat group of the village, with a robot under this key.
    pub async fn chat_group(&self, village: Village, name: &str, robot_key: &str) {
        self.group(village, name, GroupChannel::WecomRobot(RobotKey::new(robot_key))).await;
    }

    /// A chat group of the village of any kind.
    pub async fn group(&self, village: Village, name: &str, channel: GroupChannel) -> GroupId {
        let (county, township, village) = (self.county, self.id, village.id);
        let name = name.to_owned();
        let sealer = self.server.application.sealer.clone();
        self.write(move |unit| {
            let group = NewGroup { township, village, name, channel };
            Box::pin(async move { groups::add(unit, county, &sealer, group).await })
        })
        .await
    }

    /// The group's robot gets this key in the place of the one it had.
    pub async fn new_robot_key(&self, group: &str, key: &str) {
        let application = &self.server.application;
        let known = groups::entity::Entity::find()
            .filter(groups::entity::Column::Name.eq(group))
            .one(application.store.reader())
            .await;
        let (id, command) = (known.unwrap().unwrap().id, Command::by(&Actor::System { county: self.county }));
        let key = RobotKey::new(key);
        groups::rotate_key(&application.store, &command, &application.sealer, self.county, id, key).await.unwrap();
    }

    /// Writes set-up that has no endpoint.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl for<'w> FnOnce(&'w UnitOfWork) -> futures::future::BoxFuture<'w, Result<T, Fault>> + Send + 'static,
    ) -> T {
        self.server.application.store.housekeeping(work).await.unwrap()
    }
}

async fn password_hash() -> String {
    static HASH: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
    let hash = async || {
        qingfeng_core::people::password::hash(PASSWORD, &qingfeng_core::randomness::SystemRandomness).await.unwrap()
    };
    HASH.get_or_init(hash).await.clone()
}

async fn organization(
    server: &TestServer,
    county: CountyId,
    parent: Option<OrganizationId>,
    kind: OrganizationKind,
    name: &str,
) -> OrganizationId {
    let new = NewOrganization { parent, kind, name: name.to_owned(), code: format!("code-{}", Uuid::now_v7()) };
    server
        .application
        .store
        .housekeeping(move |unit| Box::pin(roster::add_organization(unit, county, new)))
        .await
        .unwrap()
}
