//! Whose phone is whose: WeChat's identities of residents and staff.

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait as _, QueryFilter, QueryOrder,
    sea_query::{Expr, Func},
};
use uuid::Uuid;

use super::{
    PersonKind,
    entity::{account_links, resident_logins, residents, staff},
};
use crate::{
    ids::{CountyId, ResidentId, StaffId},
    refusal::Fault,
};

/// Somebody whom a phone belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    pub county: CountyId,
    pub id: Uuid,
}

/// The person's WeChat identity, if it is known. Who left the service has none. Of several phones the one that was bound
/// last: the others may have been given away.
///
/// # Errors
/// When the database does not answer.
pub async fn open_id(connection: &impl ConnectionTrait, kind: PersonKind, id: Uuid) -> Result<Option<String>, Fault> {
    Ok(match kind {
        PersonKind::Staff => staff::Entity::find_by_id(StaffId(id))
            .one(connection)
            .await?
            .filter(|person| person.active)
            .and_then(|person| person.open_id),
        PersonKind::Resident => resident_logins::Entity::find()
            .filter(resident_logins::Column::ResidentId.eq(ResidentId(id)))
            .order_by_desc(resident_logins::Column::CreatedAt)
            .order_by_desc(resident_logins::Column::OpenId)
            .one(connection)
            .await?
            .map(|login| login.open_id),
    })
}

/// What the person is called at another account of ours, by the chat there that was bound last. Who left the service or the roster
/// has none.
///
/// # Errors
/// When the database does not answer.
pub async fn linked_open_id(
    connection: &impl ConnectionTrait,
    kind: PersonKind,
    id: Uuid,
    app_id: &str,
) -> Result<Option<String>, Fault> {
    let link = account_links::Entity::find()
        .filter(account_links::Column::PersonId.eq(id))
        .filter(account_links::Column::PersonKind.eq(kind))
        .filter(account_links::Column::AppId.eq(app_id))
        .filter(account_links::Column::EndedAt.is_null())
        .order_by_desc(account_links::Column::Id)
        .one(connection)
        .await?;
    let Some(link) = link else { return Ok(None) };
    let is_here = match kind {
        PersonKind::Staff => {
            staff::Entity::find_by_id(StaffId(id)).one(connection).await?.is_some_and(|own| own.active)
        }
        PersonKind::Resident => {
            residents::Entity::find_by_id(ResidentId(id)).one(connection).await?.is_some_and(|own| own.active)
        }
    };
    Ok(is_here.then_some(link.open_id))
}

/// The member of staff at WeCom, if that is known. Who left the service has none.
///
/// # Errors
/// When the database does not answer.
pub async fn wecom_user_id(connection: &impl ConnectionTrait, id: StaffId) -> Result<Option<String>, Fault> {
    let person = staff::Entity::find_by_id(id).one(connection).await?.filter(|person| person.active);
    Ok(person.and_then(|person| person.wecom_user_id))
}

/// The staff of this name at WeCom, whatever case it is written in.
///
/// # Errors
/// When the database does not answer.
pub async fn members(connection: &impl ConnectionTrait, user_id: &str) -> Result<Vec<Owner>, Fault> {
    let name = Expr::expr(Func::lower(Expr::col((staff::Entity, staff::Column::WecomUserId))));
    let staff = staff::Entity::find().filter(name.eq(user_id.to_lowercase())).all(connection).await?;
    Ok(staff.into_iter().map(|person| Owner { county: person.county_id, id: person.id.0 }).collect())
}

/// Whether this is a member of staff's WeChat.
///
/// # Errors
/// When the database does not answer.
pub async fn is_of_staff(connection: &impl ConnectionTrait, open_id: &str) -> Result<bool, Fault> {
    Ok(staff::Entity::find().filter(staff::Column::OpenId.eq(open_id)).one(connection).await?.is_some())
}

/// The people of a phone, at whichever of our accounts it is known by this openid: a village secretary may be a resident,
/// too.
///
/// # Errors
/// When the database does not answer.
pub async fn owners(connection: &impl ConnectionTrait, open_id: &str) -> Result<Vec<Owner>, Fault> {
    let login = resident_logins::Entity::find_by_id(open_id.to_owned()).one(connection).await?;
    let staff = staff::Entity::find().filter(staff::Column::OpenId.eq(open_id)).all(connection).await?;
    let linked = account_links::Entity::find()
        .filter(account_links::Column::OpenId.eq(open_id))
        .filter(account_links::Column::EndedAt.is_null())
        .all(connection)
        .await?;
    let residents = login.into_iter().map(|login| Owner { county: login.county_id, id: login.resident_id.0 });
    let staff = staff.into_iter().map(|person| Owner { county: person.county_id, id: person.id.0 });
    let mut owners: Vec<Owner> = residents.chain(staff).collect();
    for link in linked {
        let owner = Owner { county: link.county_id, id: link.person_id };
        if !owners.contains(&owner) {
            owners.push(owner);
        }
    }
    Ok(owners)
}
