//! Login sessions: a refresh token that changes at every use, its family revoked as a whole when a stolen copy shows up.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{PersonKind, SignInRefusal, entity::refresh_tokens};
use crate::{
    cache::Cache,
    ids::{CountyId, SessionId},
    refusal::Fault,
    storage::{Store, UnitOfWork},
};

/// How long an access token is good for. Short: it is checked without the database.
pub const ACCESS_LASTS: Duration = Duration::from_secs(15 * 60);

/// How long a resident's phone stays signed in without being used, in days.
const RESIDENT_STAYS_DAYS: i64 = 180;
/// How long staff stay signed in without working, in days.
const STAFF_STAYS_DAYS: i64 = 7;
/// A phone on a weak network asks again when the answer got lost: a used token is taken once more within this time.
const LOST_ANSWER_SECONDS: i64 = 60;

/// Whose session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    pub county: CountyId,
    pub kind: PersonKind,
    pub id: Uuid,
}

/// A session that was started or carried on.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: SessionId,
    pub person: Person,
    /// To be kept by the phone and sent to refresh; good for one use.
    pub refresh_token: String,
}

/// Starts a session.
///
/// # Errors
/// When the database does not answer.
pub async fn start(store: &Store, person: Person) -> Result<Session, Fault> {
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let id = SessionId::new(unit.randomness(), unit.now());
                let refresh_token = issue(unit, id, person).await?;
                Ok(Session { id, person, refresh_token })
            })
        })
        .await
}

/// Exchanges a refresh token for the next one.
///
/// # Errors
/// [`SignInRefusal::SessionOver`] for a token that is unknown, expired, revoked or was used before; the last ends the
/// session for everybody who holds a token of it.
pub async fn refresh(store: &Store, cache: &dyn Cache, refresh_token: &str) -> Result<Session, Fault> {
    let digest = digest(refresh_token);
    let renewed = store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let known = refresh_tokens::Entity::find_by_id(digest)
                    .lock_exclusive()
                    .one(unit.connection())
                    .await?
                    .filter(|token| token.revoked_at.is_none() && token.expires_at > unit.now());
                let Some(known) = known else { return Ok(Err(None)) };
                let grace = TimeDelta::seconds(LOST_ANSWER_SECONDS);
                if known.used_at.is_some_and(|used| used + grace < unit.now()) {
                    return Ok(Err(Some(known.session_id)));
                }
                refresh_tokens::Entity::update_many()
                    .col_expr(refresh_tokens::Column::UsedAt, Expr::value(known.used_at.unwrap_or(unit.now())))
                    .filter(refresh_tokens::Column::Digest.eq(known.digest))
                    .exec(unit.connection())
                    .await?;
                let person = Person { county: known.county_id, kind: known.person_kind, id: known.person_id };
                let refresh_token = issue(unit, known.session_id, person).await?;
                Ok(Ok(Session { id: known.session_id, person, refresh_token }))
            })
        })
        .await?;
    match renewed {
        Ok(session) => Ok(session),
        Err(stolen) => {
            if let Some(session) = stolen {
                tracing::warn!(%session, "a used refresh token came again; the session is ended");
                end(store, cache, session).await?;
            }
            Err(Fault::refused(SignInRefusal::SessionOver))
        }
    }
}

/// Ends a session: its refresh tokens at once, its access tokens through the cache.
///
/// # Errors
/// When the database or the cache does not answer.
pub async fn end(store: &Store, cache: &dyn Cache, session: SessionId) -> Result<(), Fault> {
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                refresh_tokens::Entity::update_many()
                    .col_expr(refresh_tokens::Column::RevokedAt, Expr::value(unit.now()))
                    .filter(refresh_tokens::Column::SessionId.eq(session))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await?;
    cache.set(&revocation(session), b"1", ACCESS_LASTS).await
}

/// Whether the access tokens of this session are no longer good.
///
/// # Errors
/// When the cache does not answer.
pub async fn is_ended(cache: &dyn Cache, session: SessionId) -> Result<bool, Fault> {
    Ok(cache.get(&revocation(session)).await?.is_some())
}

fn revocation(session: SessionId) -> String {
    format!("session_ended:{session}")
}

fn digest(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

async fn issue(unit: &UnitOfWork, session: SessionId, person: Person) -> Result<String, Fault> {
    let secret: [u8; 32] = unit.randomness().bytes();
    let token = URL_SAFE_NO_PAD.encode(secret);
    let days = match person.kind {
        PersonKind::Resident => RESIDENT_STAYS_DAYS,
        PersonKind::Staff => STAFF_STAYS_DAYS,
    };
    let row = refresh_tokens::ActiveModel {
        digest: Set(digest(&token)),
        county_id: Set(person.county),
        session_id: Set(session),
        person_kind: Set(person.kind),
        person_id: Set(person.id),
        expires_at: Set(unit.now() + TimeDelta::days(days)),
        used_at: Set(None),
        revoked_at: Set(None),
    };
    refresh_tokens::Entity::insert(row).exec_without_returning(unit.connection()).await?;
    Ok(token)
}
