//! Setting up who there is: organizations, staff with posts, residents on village rosters.

use chrono::NaiveDate;
use sea_orm::{ActiveValue::Set, EntityTrait};

use super::{
    OrganizationKind, Role, RosterGroup,
    entity::{organizations, posts, recusals, resident_logins, residents, staff},
    sign_in::TOTP_PURPOSE,
};
use crate::{
    ids::{CountyId, EntryId, OrganizationId, PostId, ResidentId, StaffId},
    refusal::Fault,
    sealing::Sealer,
    storage::UnitOfWork,
};

#[derive(Clone, Debug)]
pub struct NewOrganization {
    pub parent: Option<OrganizationId>,
    pub kind: OrganizationKind,
    pub name: String,
    /// Short code, unique in the county.
    pub code: String,
}

/// # Errors
/// When the code is taken or the database does not answer.
pub async fn add_organization(
    unit: &UnitOfWork,
    county: CountyId,
    new: NewOrganization,
) -> Result<OrganizationId, Fault> {
    let id = match new.kind {
        OrganizationKind::County => OrganizationId(county.0),
        _ => OrganizationId::new(unit.randomness(), unit.now()),
    };
    organizations::Entity::insert(organizations::ActiveModel {
        id: Set(id),
        county_id: Set(county),
        parent_id: Set(new.parent),
        kind: Set(new.kind),
        name: Set(new.name),
        code: Set(new.code),
    })
    .exec_without_returning(unit.connection())
    .await?;
    Ok(id)
}

#[derive(Clone, Debug)]
pub struct NewStaff {
    pub name: String,
    pub login: String,
    /// From [`super::password::hash`].
    pub password_hash: String,
    /// The authenticator's secret, at least 16 bytes.
    pub totp_secret: Vec<u8>,
    pub open_id: Option<String>,
}

/// # Errors
/// When the login is taken or the database does not answer.
pub async fn add_staff(unit: &UnitOfWork, county: CountyId, sealer: &Sealer, new: NewStaff) -> Result<StaffId, Fault> {
    let id = StaffId::new(unit.randomness(), unit.now());
    staff::Entity::insert(staff::ActiveModel {
        id: Set(id),
        county_id: Set(county),
        name: Set(new.name),
        login: Set(new.login),
        password_hash: Set(new.password_hash),
        totp_secret_sealed: Set(Some(sealer.seal(TOTP_PURPOSE, &new.totp_secret, unit.randomness()))),
        totp_last_step: Set(0),
        open_id: Set(new.open_id),
        wecom_user_id: Set(None),
        active: Set(true),
        created_at: Set(unit.now()),
    })
    .exec_without_returning(unit.connection())
    .await?;
    Ok(id)
}

#[derive(Clone, Debug)]
pub struct NewPost {
    pub staff: StaffId,
    pub organization: OrganizationId,
    pub role: Role,
    /// As it stands on the door, e.g. 东河村党支部书记.
    pub title: String,
    pub from: NaiveDate,
    /// Last day; none while it is held.
    pub to: Option<NaiveDate>,
}

/// # Errors
/// When the database does not answer.
pub async fn add_post(unit: &UnitOfWork, county: CountyId, new: NewPost) -> Result<PostId, Fault> {
    let id = PostId::new(unit.randomness(), unit.now());
    posts::Entity::insert(posts::ActiveModel {
        id: Set(id),
        county_id: Set(county),
        staff_id: Set(new.staff),
        organization_id: Set(new.organization),
        role: Set(new.role),
        title: Set(new.title),
        from_date: Set(new.from),
        to_date: Set(new.to),
    })
    .exec_without_returning(unit.connection())
    .await?;
    Ok(id)
}

#[derive(Clone, Debug)]
pub struct NewResident {
    pub township: OrganizationId,
    pub village: OrganizationId,
    pub name: String,
    pub neighbourhood: String,
    pub group: RosterGroup,
    /// Set when the same person also holds office.
    pub also_staff: Option<StaffId>,
    /// The WeChat identity, when it is known beforehand.
    pub open_id: Option<String>,
}

/// # Errors
/// When the WeChat identity is taken or the database does not answer.
pub async fn add_resident(unit: &UnitOfWork, county: CountyId, new: NewResident) -> Result<ResidentId, Fault> {
    let id = ResidentId::new(unit.randomness(), unit.now());
    residents::Entity::insert(residents::ActiveModel {
        id: Set(id),
        county_id: Set(county),
        township_id: Set(new.township),
        village_id: Set(new.village),
        name: Set(new.name),
        neighbourhood: Set(new.neighbourhood),
        roster_group: Set(new.group),
        staff_id: Set(new.also_staff),
        active: Set(true),
        created_at: Set(unit.now()),
    })
    .exec_without_returning(unit.connection())
    .await?;
    if let Some(open_id) = new.open_id {
        resident_logins::Entity::insert(resident_logins::ActiveModel {
            open_id: Set(open_id),
            county_id: Set(county),
            resident_id: Set(id),
            created_at: Set(unit.now()),
        })
        .exec_without_returning(unit.connection())
        .await?;
    }
    Ok(id)
}

/// Declares that a member of staff keeps out of the matters of a person or unit (kin, interests).
///
/// # Errors
/// When the database does not answer.
pub async fn add_recusal(
    unit: &UnitOfWork,
    county: CountyId,
    staff: StaffId,
    from_staff: Option<StaffId>,
    from_organization: Option<OrganizationId>,
    reason: String,
) -> Result<(), Fault> {
    recusals::Entity::insert(recusals::ActiveModel {
        id: Set(EntryId::new(unit.randomness(), unit.now())),
        county_id: Set(county),
        staff_id: Set(staff),
        from_staff_id: Set(from_staff),
        from_organization_id: Set(from_organization),
        reason: Set(reason),
        created_at: Set(unit.now()),
    })
    .exec_without_returning(unit.connection())
    .await?;
    Ok(())
}
