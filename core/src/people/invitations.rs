//! Invitations in the place of lost or used ones: whoever keeps the roster finds somebody by name and gives out a new code.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};

use super::{
    Actor, PaperCodes,
    authorization::{Action, Reach, Subject, may, reach},
    entity::{invitations, organizations, resident_logins, residents},
    sign_in::{INVITATION_LASTS_DAYS, invite},
};
use crate::{
    audit::AuditEntry,
    ids::ResidentId,
    refusal::{Fault, FieldFault, Refusal, RefusalKind},
    storage::{Command, Done, Store},
};

/// More namesakes than a township has.
const MOST_LISTED: u64 = 50;

/// Somebody on a roster, told apart from her namesakes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnRoster {
    pub id: ResidentId,
    pub name: String,
    pub village: String,
    /// Village group or natural village, e.g. 三组.
    pub neighbourhood: String,
}

/// A code to be written down and handed over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Invitation {
    pub code: String,
    pub expires_at: DateTime<Utc>,
}

/// People with exactly this name on the rosters that the actor keeps. Never a list of all, nor a word of who uses the product: where
/// few do, that would nearly say who reported.
///
/// # Errors
/// `forbidden` for whoever keeps none; `invalid_input` without a name; when the database does not answer.
pub async fn find(store: &Store, actor: &Actor, name: &str) -> Result<Vec<OnRoster>, Fault> {
    let Reach::Staff(kept) = reach(actor, Action::ManageRoster) else { return Err(Refusal::forbidden().into()) };
    if name.is_empty() {
        return Err(Refusal::invalid(vec![FieldFault::new("/name", "请写上姓名。")]).into());
    }
    let namesakes = residents::Entity::find()
        .filter(residents::Column::TownshipId.is_in(kept.townships))
        .filter(residents::Column::Name.eq(name))
        .filter(residents::Column::Active.eq(true))
        .order_by_asc(residents::Column::Id)
        .limit(MOST_LISTED)
        .all(store.reader())
        .await?;
    let villages = organizations::Entity::find()
        .filter(organizations::Column::Id.is_in(namesakes.iter().map(|resident| resident.village_id)))
        .all(store.reader())
        .await?;
    let village_of =
        |id| villages.iter().find(|village| village.id == id).map_or(String::new(), |village| village.name.clone());
    let entry = |resident: residents::Model| OnRoster {
        id: resident.id,
        village: village_of(resident.village_id),
        name: resident.name,
        neighbourhood: resident.neighbourhood,
    };
    Ok(namesakes.into_iter().map(entry).collect())
}

/// Makes an invitation in the place of those that a resident has lost: none of them is good any more.
///
/// Whoever holds the code is the resident to us. So only the office may give one out, never who works in her village and is
/// rated by her, and nobody for somebody who has signed in: what she has said, and that she said it, would lie open to whoever
/// comes with her code. The act is on record with who did it, and the code is kept nowhere: the command must not be one that
/// is answered again.
///
/// # Errors
/// `not_found`, `forbidden`, `resident_signed_in`; when the database does not answer.
pub async fn replace(
    store: &Store,
    codes: &PaperCodes,
    actor: &Actor,
    resident: ResidentId,
) -> Result<Invitation, Fault> {
    let person = residents::Entity::find_by_id(resident).one(store.reader()).await?.filter(|person| person.active);
    let person = person.ok_or_else(Refusal::not_found)?;
    let subject = Subject {
        county: Some(person.county_id),
        township: Some(person.township_id),
        village: Some(person.village_id),
        ..Subject::default()
    };
    may(actor, Action::ManageRoster, &subject)?;
    let (county, codes) = (person.county_id, codes.clone());
    let outcome = store
        .command(county, &Command::by(actor), move |unit| {
            Box::pin(async move {
                // Of two at the same moment, the second one's code is the good one.
                unit.locked::<residents::Entity>(resident).await?;
                // Whoever is signing in with one of them this moment has signed in.
                invitations::Entity::find()
                    .filter(invitations::Column::ResidentId.eq(resident))
                    .lock_exclusive()
                    .all(unit.connection())
                    .await?;
                if signed_in(unit.connection(), resident).await? {
                    return Err(has_signed_in().into());
                }
                invitations::Entity::delete_many()
                    .filter(invitations::Column::ResidentId.eq(resident))
                    .exec(unit.connection())
                    .await?;
                let code = invite(unit, &codes, county, resident).await?;
                let expires_at = unit.now() + TimeDelta::days(INVITATION_LASTS_DAYS);
                let mut entry = AuditEntry::new("invitation_replaced", resident);
                entry.permission = Some(Action::ManageRoster);
                Ok(Done::new(Invitation { code, expires_at }, entry))
            })
        })
        .await?;
    Ok(outcome.value)
}

/// Whether she has ever signed in, on a phone or in a browser.
async fn signed_in(connection: &impl ConnectionTrait, resident: ResidentId) -> Result<bool, Fault> {
    let phones = resident_logins::Entity::find().filter(resident_logins::Column::ResidentId.eq(resident));
    let was_used = Condition::any()
        .add(invitations::Column::UsedAt.is_not_null())
        .add(invitations::Column::UsedInBrowserAt.is_not_null());
    let used = invitations::Entity::find().filter(invitations::Column::ResidentId.eq(resident)).filter(was_used);
    Ok(phones.one(connection).await?.is_some() || used.one(connection).await?.is_some())
}

fn has_signed_in() -> Refusal {
    let sentence = "她已经登录过。为了保护她反映和评价的内容，谁也不能替她补发邀请码，请她用原来的微信登录；\
                    登录不了的，可以到窗口当面反映，凭回执码查进度、作评价。";
    Refusal::new(RefusalKind::Conflict, "resident_signed_in", sentence)
}
