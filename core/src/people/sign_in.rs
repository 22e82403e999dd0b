//! How people prove who they are: staff by password and authenticator code, residents by their WeChat identity or a
//! printed invitation.

use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use totp_rs::{Algorithm, Builder, Totp};

use super::{
    Actor, PaperCodes, PersonKind, SignInRefusal,
    entity::{invitations, resident_logins, staff},
    load_staff, password, phones,
    sessions::Person,
};
use crate::{
    audit::AuditEntry,
    cache::Cache,
    clock::{Clock, shanghai_date},
    ids::{ResidentId, StaffId},
    refusal::Fault,
    sealing::Sealer,
    storage::{Command, Done, Store},
};

/// Wrong passwords per login and quarter of an hour before it is locked for the rest of it (等保 level 2: lockout).
const ATTEMPTS: u32 = 5;
const ATTEMPTS_WINDOW: Duration = Duration::from_secs(15 * 60);

/// What an authenticator secret is sealed for.
pub const TOTP_PURPOSE: &str = "authenticator secret";

/// Checks login, password and authenticator code.
///
/// # Errors
/// [`SignInRefusal::WrongCredentials`] whichever of the three is wrong, [`SignInRefusal::TooManyAttempts`].
pub async fn staff(
    store: &Store,
    cache: &dyn Cache,
    sealer: &Sealer,
    login: &str,
    password: &str,
    code: &str,
) -> Result<Person, Fault> {
    let attempts = sealer.pseudonym("sign_in", login);
    if cache.take_slot(&attempts, ATTEMPTS, ATTEMPTS_WINDOW).await?.is_some() {
        return Err(Fault::refused(SignInRefusal::TooManyAttempts));
    }
    let wrong = || Fault::refused(SignInRefusal::WrongCredentials);
    let known = staff::Entity::find()
        .filter(staff::Column::Login.eq(login))
        .filter(staff::Column::Active.eq(true))
        .one(store.reader())
        .await?;
    if !password::matches(password, known.as_ref().map(|person| person.password_hash.clone())).await? {
        return Err(wrong());
    }
    let person = known.ok_or_else(wrong)?;
    let sealed = person.totp_secret_sealed.as_deref().ok_or_else(wrong)?;
    let secret = sealer.open(TOTP_PURPOSE, sealed)?;
    let step = accepted_step(secret, code, store.clock())?.ok_or_else(wrong)?;
    // A code that was looked over someone's shoulder is good for nothing: each step counts once.
    let id = person.id;
    let fresh = store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let update = staff::Entity::update_many()
                    .col_expr(staff::Column::TotpLastStep, Expr::value(step))
                    .filter(staff::Column::Id.eq(id))
                    .filter(staff::Column::TotpLastStep.lt(step));
                Ok(update.exec(unit.connection()).await?.rows_affected == 1)
            })
        })
        .await?;
    if fresh { Ok(Person { county: person.county_id, kind: PersonKind::Staff, id: id.0 }) } else { Err(wrong()) }
}

/// The authenticator of a secret: SHA-1, six digits, 30 seconds, one step of tolerance, as every authenticator app has.
///
/// # Errors
/// When the secret is shorter than 16 bytes.
pub fn authenticator(secret: Vec<u8>) -> Result<Totp, Fault> {
    Builder::new().with_algorithm(Algorithm::SHA1).with_secret(secret).build().map_err(Fault::unavailable)
}

fn accepted_step(secret: Vec<u8>, code: &str, clock: &dyn Clock) -> Result<Option<i64>, Fault> {
    let now = clock.now().timestamp();
    let authenticator = authenticator(secret)?;
    let seconds = u64::try_from(now).map_err(Fault::unavailable)?;
    Ok(authenticator.check(code, seconds).and_then(|step| i64::try_from(step).ok()))
}

/// The resident whose phone this WeChat identity is.
///
/// # Errors
/// When the database does not answer.
pub async fn resident_of(store: &Store, open_id: &str) -> Result<Option<Person>, Fault> {
    let login = resident_logins::Entity::find_by_id(open_id).one(store.reader()).await?;
    Ok(login.map(|login| Person { county: login.county_id, kind: PersonKind::Resident, id: login.resident_id.0 }))
}

/// The member of staff whom WeCom knows by this name.
///
/// # Errors
/// When the database does not answer.
pub async fn staff_at_wecom(store: &Store, user_id: &str) -> Result<Option<Person>, Fault> {
    let known = phones::members(store.reader(), user_id).await?;
    let [owner] = known.as_slice() else { return Ok(None) };
    let person = staff::Entity::find_by_id(StaffId(owner.id)).one(store.reader()).await?;
    let person = person.filter(|person| person.active);
    Ok(person.map(|person| Person { county: person.county_id, kind: PersonKind::Staff, id: person.id.0 }))
}

/// What becomes of another name at WeCom that the account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormerMember {
    /// It stays, and the new one is refused.
    Stays,
    /// Whoever signs in has said that the new one takes its place.
    GivesWay,
}

/// From now on WeCom's name is this member of staff's.
///
/// # Errors
/// [`SignInRefusal::WecomTaken`] when it is another's; [`SignInRefusal::OtherWecomBound`] when the account has another name that
/// [stays](FormerMember::Stays).
pub async fn bind_wecom(store: &Store, person: Person, user_id: &str, former: FormerMember) -> Result<(), Fault> {
    let (id, user_id) = (StaffId(person.id), user_id.to_lowercase());
    let today = shanghai_date(store.clock().now());
    let member = load_staff(store, id, today).await?.ok_or_else(|| Fault::refused(SignInRefusal::WrongCredentials))?;
    store
        .command(person.county, &Command::by(&Actor::Staff(member)), move |unit| {
            Box::pin(async move {
                let known = phones::members(unit.connection(), &user_id).await?;
                if known.iter().any(|owner| owner.id != id.0) {
                    return Err(Fault::refused(SignInRefusal::WecomTaken));
                }
                let before = unit.locked::<staff::Entity>(id).await?.wecom_user_id;
                let is_other = before.as_ref().is_some_and(|name| name.to_lowercase() != user_id);
                if is_other && former == FormerMember::Stays {
                    return Err(Fault::refused(SignInRefusal::OtherWecomBound));
                }
                unit.later(
                    &staff::Entity::update_many()
                        .col_expr(staff::Column::WecomUserId, Expr::value(user_id.clone()))
                        .filter(staff::Column::Id.eq(id)),
                );
                Ok(Done::new((), AuditEntry::new("wecom_bound", id).changing(&before, &user_id)))
            })
        })
        .await
        .map(|_| ())
}

/// What the database holds of an invitation code.
fn invitation_digest(codes: &PaperCodes, code: &str) -> Vec<u8> {
    let code: String =
        code.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect();
    codes.digest(code.as_bytes()).into_bytes()
}

/// Accepts a printed invitation: once for a phone, whose WeChat identity it binds to the resident, and before that once for a
/// browser.
///
/// Who came first by a browser has bound no phone and could never do so if the code were used up then: the mini-program and
/// its chats would not know her, and no card would reach her. So the code binds a phone afterwards, but only within
/// [`PHONE_FOLLOWS_WITHIN_DAYS`]: paper that lies about after it has served opens nothing for long. It opens no second browser,
/// and whoever binds a phone with it takes it from everybody else.
///
/// # Errors
/// [`SignInRefusal::InvitationInvalid`], [`SignInRefusal::PhoneTaken`].
pub async fn accept_invitation(
    store: &Store,
    codes: &PaperCodes,
    code: &str,
    open_id: Option<String>,
) -> Result<Person, Fault> {
    let digest = invitation_digest(codes, code);
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let invitation = invitations::Entity::find_by_id(digest.clone())
                    .lock_exclusive()
                    .one(unit.connection())
                    .await?
                    .filter(|invitation| invitation.used_at.is_none() && invitation.expires_at > unit.now())
                    .filter(|invitation| open_id.is_some() || invitation.used_in_browser_at.is_none())
                    .ok_or_else(|| Fault::refused(SignInRefusal::InvitationInvalid))?;
                let used = invitations::Entity::update_many().filter(invitations::Column::CodeDigest.eq(digest));
                let used = if open_id.is_some() {
                    used.col_expr(invitations::Column::UsedAt, Expr::value(unit.now()))
                } else {
                    let ends = unit.now() + TimeDelta::days(PHONE_FOLLOWS_WITHIN_DAYS);
                    used.col_expr(invitations::Column::UsedInBrowserAt, Expr::value(unit.now()))
                        .col_expr(invitations::Column::ExpiresAt, Expr::value(ends.min(invitation.expires_at)))
                };
                used.exec(unit.connection()).await?;
                if let Some(open_id) = open_id {
                    let bound = resident_logins::Entity::insert(resident_logins::ActiveModel {
                        open_id: Set(open_id),
                        county_id: Set(invitation.county_id),
                        resident_id: Set(invitation.resident_id),
                        created_at: Set(unit.now()),
                    })
                    .on_conflict(OnConflict::column(resident_logins::Column::OpenId).do_nothing().to_owned())
                    .exec_without_returning(unit.connection())
                    .await?;
                    if bound == 0 {
                        return Err(Fault::refused(SignInRefusal::PhoneTaken));
                    }
                }
                Ok(Person { county: invitation.county_id, kind: PersonKind::Resident, id: invitation.resident_id.0 })
            })
        })
        .await
}

/// How long an invitation is good for, in days.
pub const INVITATION_LASTS_DAYS: i64 = 90;
/// How long one that signed a browser in still binds a phone, in days.
pub const PHONE_FOLLOWS_WITHIN_DAYS: i64 = 30;

/// Letters and digits that cannot be mistaken for one another on paper.
pub const UNAMBIGUOUS: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";

/// Makes an invitation for a resident, to be printed and handed over. Returns the code, which is kept nowhere.
///
/// # Errors
/// When the database does not answer.
pub async fn invite(
    unit: &crate::storage::UnitOfWork,
    codes: &PaperCodes,
    county: crate::ids::CountyId,
    resident: ResidentId,
) -> Result<String, Fault> {
    let code: String =
        (0..12).map(|_| char::from(UNAMBIGUOUS[unit.randomness().below(UNAMBIGUOUS.len() as u32) as usize])).collect();
    invitations::Entity::insert(invitations::ActiveModel {
        code_digest: Set(invitation_digest(codes, &code)),
        county_id: Set(county),
        resident_id: Set(resident),
        expires_at: Set(unit.now() + TimeDelta::days(INVITATION_LASTS_DAYS)),
        used_at: Set(None),
        used_in_browser_at: Set(None),
    })
    .exec_without_returning(unit.connection())
    .await?;
    Ok(code)
}
