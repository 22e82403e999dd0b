//! Who writes in a chat of ours: the platform calls one person differently at each account, and only the mini-program's
//! openid is bound to the roster by the invitation.
//!
//! Where the platform tells a union id, the two are put together by themselves. Elsewhere whoever writes gets a code that is
//! good once and for half an hour; opened in the mini-program by somebody who is signed in, it makes the chat his.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, OnConflict, Query},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Actor, PersonKind,
    authorization::{Action, Subject, may},
    entity::{account_links, residents, staff},
    sessions::Person,
};
use crate::{
    audit::AuditEntry,
    cache::Cache,
    ids::{CountyId, EntryId, ResidentId, StaffId},
    refusal::{Fault, Refusal, RefusalKind},
    sealing::Sealer,
    storage::{Command, Done, Outcome, Store, UnitOfWork},
    subject::SubjectRef,
};

/// How long a code is good for.
pub const CODE_LASTS: Duration = Duration::from_secs(30 * 60);
/// What a code stands for in the cache, and what it is sealed as.
const CODE: &str = "account link";

/// One row: an openid at one account, and whose it is.
pub type AccountLink = account_links::Model;

/// Somebody as one account of ours knows him.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountIdentity {
    pub app_id: String,
    pub open_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountLinkRefusal {
    #[error("the code is unknown, used or expired")]
    CodeInvalid,
    #[error("this chat is somebody else's already")]
    Taken,
}

impl From<AccountLinkRefusal> for Refusal {
    fn from(refusal: AccountLinkRefusal) -> Self {
        let (code, sentence) = match refusal {
            AccountLinkRefusal::CodeInvalid => (
                "account_link_code_invalid",
                "这个绑定链接已经用过，或者过了半小时。请在服务号里再发一条消息，会给您新的链接。",
            ),
            AccountLinkRefusal::Taken => {
                ("account_link_taken", "这个聊天已经绑定了另一个人。要换人，请他先在小程序里解绑。")
            }
        };
        Self::new(RefusalKind::Conflict, code, sentence)
    }
}

/// The people whose openid this is: a village secretary may be a resident, too.
///
/// # Errors
/// When the database does not answer.
pub async fn persons(connection: &impl ConnectionTrait, identity: &AccountIdentity) -> Result<Vec<Person>, Fault> {
    let links = of_identity(connection, identity).await?;
    Ok(links.iter().filter(|link| link.ended_at.is_none()).map(person).collect())
}

/// The chats that a person has made his own at this account, latest first.
///
/// # Errors
/// When the database does not answer.
pub async fn of_person(store: &Store, actor: &Actor, app_id: &str) -> Result<Vec<AccountLink>, Fault> {
    let own = own(actor)?;
    Ok(account_links::Entity::find()
        .filter(account_links::Column::PersonId.eq(own.id))
        .filter(account_links::Column::PersonKind.eq(own.kind))
        .filter(account_links::Column::AppId.eq(app_id))
        .filter(account_links::Column::EndedAt.is_null())
        .order_by_desc(account_links::Column::Id)
        .all(store.reader())
        .await?)
}

/// Somebody whose openid at the account is known beforehand.
///
/// # Errors
/// When the database does not answer.
pub async fn add(unit: &UnitOfWork, own: Person, identity: &AccountIdentity) -> Result<(), Fault> {
    write(unit, own, identity, None).await
}

/// A code for whoever just wrote in the chat; only he reads it there. It is kept nowhere but sealed, under its digest.
///
/// # Errors
/// When the cache does not answer.
pub async fn issue_code(
    store: &Store,
    cache: &dyn Cache,
    sealer: &Sealer,
    identity: &AccountIdentity,
) -> Result<String, Fault> {
    let code = URL_SAFE_NO_PAD.encode(store.randomness().bytes::<16>());
    let ends = store.clock().now() + TimeDelta::from_std(CODE_LASTS).map_err(Fault::unavailable)?;
    let promised = serde_json::to_vec(&(identity, ends)).map_err(Fault::unavailable)?;
    let sealed = sealer.seal(CODE, &promised, store.randomness());
    cache.set(&sealer.pseudonym("account_link", &code), &sealed, CODE_LASTS).await?;
    Ok(code)
}

/// Takes a code: it is used up, whatever comes of it.
async fn spend_code(store: &Store, cache: &dyn Cache, sealer: &Sealer, code: &str) -> Result<AccountIdentity, Fault> {
    let invalid = || Fault::refused(AccountLinkRefusal::CodeInvalid);
    let key = sealer.pseudonym("account_link", code);
    let sealed = cache.get(&key).await?.ok_or_else(invalid)?;
    // Of two who come with it at the same moment, one gets it.
    if !cache.remove_if(&key, &sealed).await? {
        return Err(invalid());
    }
    let open = sealer.open(CODE, &sealed)?;
    let (identity, ends): (AccountIdentity, DateTime<Utc>) =
        serde_json::from_slice(&open).map_err(Fault::unavailable)?;
    if store.clock().now() < ends { Ok(identity) } else { Err(invalid()) }
}

/// Makes the chat in which this code was given the actor's own.
///
/// # Errors
/// [`AccountLinkRefusal`]; when cache or database do not answer.
pub async fn link(store: &Store, cache: &dyn Cache, sealer: &Sealer, actor: &Actor, code: &str) -> Result<(), Fault> {
    let own = own(actor)?;
    may(actor, Action::LinkAccount, &Subject { county: Some(own.county), ..Subject::default() })?;
    let identity = spend_code(store, cache, sealer, code).await?;
    store
        .command(own.county, &Command::by(actor), move |unit| {
            Box::pin(async move {
                // Who gave it up and comes back with a code wants it again.
                account_links::Entity::delete_many()
                    .filter(account_links::Column::AppId.eq(identity.app_id.as_str()))
                    .filter(account_links::Column::OpenId.eq(identity.open_id.as_str()))
                    .filter(account_links::Column::PersonKind.eq(own.kind))
                    .filter(account_links::Column::EndedAt.is_not_null())
                    .exec(unit.connection())
                    .await?;
                write(unit, own, &identity, None).await?;
                let known = of_identity(unit.connection(), &identity).await?;
                if known.iter().any(|link| link.person_kind == own.kind && link.person_id != own.id) {
                    return Err(Fault::refused(AccountLinkRefusal::Taken));
                }
                Ok(Done::new((), AuditEntry::new("account_linked", subject(own)).changing(&(), &identity.app_id)))
            })
        })
        .await
        .map(|_| ())
}

/// Gives up a chat that the actor has made his own.
///
/// # Errors
/// `not_found` when it is not his; when the database does not answer.
pub async fn unlink(store: &Store, command: &Command, county: CountyId, id: EntryId) -> Result<Outcome<()>, Fault> {
    let own = own(&command.actor)?;
    may(&command.actor, Action::LinkAccount, &Subject { county: Some(county), ..Subject::default() })?;
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let mine = account_links::Entity::find_by_id(id)
                    .filter(account_links::Column::PersonId.eq(own.id))
                    .filter(account_links::Column::PersonKind.eq(own.kind))
                    .filter(account_links::Column::EndedAt.is_null())
                    .one(unit.connection())
                    .await?
                    .ok_or_else(Refusal::not_found)?;
                if mine.union_id.is_some() {
                    // The row stays and says no: by the union id the chat would be his again with the next message.
                    account_links::Entity::update_many()
                        .col_expr(account_links::Column::EndedAt, Expr::value(unit.now()))
                        .filter(account_links::Column::Id.eq(mine.id))
                        .exec(unit.connection())
                        .await?;
                } else {
                    account_links::Entity::delete_by_id(mine.id).exec(unit.connection()).await?;
                }
                Ok(Done::new((), AuditEntry::new("account_unlinked", subject(own)).changing(&mine.app_id, &())))
            })
        })
        .await
}

/// The platform told the union id of somebody whom the sign-in has recognized: by it other accounts will know him.
///
/// # Errors
/// When the database does not answer.
pub async fn remember_union(
    store: &Store,
    own: Person,
    identity: AccountIdentity,
    union_id: String,
) -> Result<(), Fault> {
    let known = of_identity(store.reader(), &identity).await?;
    if known.iter().any(|link| person(link) == own && link.union_id.as_ref() == Some(&union_id)) {
        return Ok(());
    }
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                // Whose it was before is out of date: the sign-in has just told better.
                account_links::Entity::delete_many()
                    .filter(account_links::Column::AppId.eq(identity.app_id.as_str()))
                    .filter(account_links::Column::OpenId.eq(identity.open_id.as_str()))
                    .filter(account_links::Column::PersonKind.eq(own.kind))
                    .exec(unit.connection())
                    .await?;
                write(unit, own, &identity, Some(union_id)).await
            })
        })
        .await
}

/// The platform told the union id of somebody whom this account does not know yet: whoever is known by it elsewhere is
/// known here from now on.
///
/// # Errors
/// When the database does not answer.
pub async fn recognize(store: &Store, identity: AccountIdentity, union_id: String) -> Result<Vec<Person>, Fault> {
    let known = account_links::Entity::find()
        .filter(account_links::Column::UnionId.eq(union_id.as_str()))
        .filter(account_links::Column::AppId.ne(identity.app_id.as_str()))
        .filter(account_links::Column::EndedAt.is_null())
        .all(store.reader())
        .await?;
    let people: Vec<Person> = known.iter().map(person).collect();
    if !people.is_empty() {
        let (people, identity) = (people.clone(), identity.clone());
        store
            .housekeeping(move |unit| {
                Box::pin(async move {
                    for own in people {
                        write(unit, own, &identity, Some(union_id.clone())).await?;
                    }
                    Ok(())
                })
            })
            .await?;
    }
    // What was written before by somebody else stands.
    persons(store.reader(), &identity).await
}

/// The chats of who left the roster or the service are nobody's.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_the_gone(unit: &UnitOfWork, county: CountyId) -> Result<(), Fault> {
    let residents = Query::select()
        .column(residents::Column::Id)
        .from(residents::Entity)
        .and_where(residents::Column::Active.eq(true))
        .take();
    let staff =
        Query::select().column(staff::Column::Id).from(staff::Entity).and_where(staff::Column::Active.eq(true)).take();
    for (kind, present) in [(PersonKind::Resident, residents), (PersonKind::Staff, staff)] {
        account_links::Entity::delete_many()
            .filter(account_links::Column::CountyId.eq(county))
            .filter(account_links::Column::PersonKind.eq(kind))
            .filter(account_links::Column::PersonId.not_in_subquery(present))
            .exec(unit.connection())
            .await?;
    }
    Ok(())
}

/// Writes one row, unless somebody of the same kind has the openid already; that it is whose it was is for the caller to
/// see.
async fn write(
    unit: &UnitOfWork,
    own: Person,
    identity: &AccountIdentity,
    union_id: Option<String>,
) -> Result<(), Fault> {
    let row = account_links::ActiveModel {
        id: Set(EntryId::new(unit.randomness(), unit.now())),
        county_id: Set(own.county),
        app_id: Set(identity.app_id.clone()),
        open_id: Set(identity.open_id.clone()),
        union_id: Set(union_id),
        person_kind: Set(own.kind),
        person_id: Set(own.id),
        created_at: Set(unit.now()),
        ended_at: Set(None),
    };
    let name = [account_links::Column::AppId, account_links::Column::OpenId, account_links::Column::PersonKind];
    account_links::Entity::insert_many([row])
        .on_conflict(OnConflict::columns(name).do_nothing().to_owned())
        .exec_without_returning(unit.connection())
        .await?;
    Ok(())
}

async fn of_identity(connection: &impl ConnectionTrait, identity: &AccountIdentity) -> Result<Vec<AccountLink>, Fault> {
    Ok(account_links::Entity::find()
        .filter(account_links::Column::AppId.eq(identity.app_id.as_str()))
        .filter(account_links::Column::OpenId.eq(identity.open_id.as_str()))
        .all(connection)
        .await?)
}

fn person(link: &AccountLink) -> Person {
    Person { county: link.county_id, kind: link.person_kind, id: link.person_id }
}

/// As whom the actor is signed in.
fn own(actor: &Actor) -> Result<Person, Fault> {
    let (county, kind, id): (CountyId, PersonKind, Uuid) = match actor {
        Actor::Resident(resident) => (resident.county, PersonKind::Resident, resident.id.0),
        Actor::Staff(staff) => (staff.county, PersonKind::Staff, staff.id.0),
        Actor::Visitor | Actor::Receipt { .. } | Actor::System { .. } => return Err(Refusal::not_found().into()),
    };
    Ok(Person { county, kind, id })
}

fn subject(own: Person) -> SubjectRef {
    match own.kind {
        PersonKind::Resident => ResidentId(own.id).into(),
        PersonKind::Staff => StaffId(own.id).into(),
    }
}
