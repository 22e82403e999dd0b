//! The officers' public keys. The private halves are made in their browsers and never come here.

use std::str::FromStr as _;

use qingfeng_ballots::envelope::Recipient;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};

use super::{
    ReportRefusal,
    entity::keys,
    offices::{current_keys, name},
};
use crate::{
    audit::AuditEntry,
    clock::shanghai_date,
    ids::{CountyId, OrganizationId, ReportKeyId, StaffId},
    people::{
        Actor, OrganizationKind, Role,
        authorization::{Action, Subject, may},
        entity::organizations,
        names,
    },
    refusal::{Fault, Refusal},
    storage::{Command, Done, Outcome, Store},
};

/// A key as the office's people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnKey {
    pub id: ReportKeyId,
    pub recipient: String,
    pub staff: StaffId,
    /// Whose it is.
    pub name: String,
}

/// An office of the actor's, with the keys that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficeKeys {
    pub office: OrganizationId,
    pub name: String,
    pub keys: Vec<OwnKey>,
}

pub(super) fn subject(county: CountyId, office: OrganizationId) -> Subject {
    Subject { county: Some(county), lead_unit: Some(office), ..Subject::default() }
}

/// The disciplinary offices in which the actor holds a post.
pub(super) fn offices_of(actor: &Actor) -> Result<Vec<OrganizationId>, Refusal> {
    let posts = actor.staff().map(|staff| staff.posts.as_slice()).unwrap_or_default();
    let mut offices: Vec<_> = posts
        .iter()
        .filter(|post| post.role == Role::DisciplinaryOfficer)
        .filter(|post| matches!(post.organization_kind, OrganizationKind::Township | OrganizationKind::County))
        .map(|post| post.organization)
        .collect();
    offices.sort_unstable();
    offices.dedup();
    if offices.is_empty() { Err(Refusal::not_found()) } else { Ok(offices) }
}

/// The actor's offices and their keys.
///
/// # Errors
/// `not_found` for everybody else.
pub async fn seen_by(store: &Store, actor: &Actor) -> Result<Vec<OfficeKeys>, Fault> {
    let (connection, today) = (store.reader(), shanghai_date(store.clock().now()));
    let mut seen = Vec::new();
    for office in offices_of(actor)? {
        let Some(place) = organizations::Entity::find_by_id(office).one(connection).await? else { continue };
        let rows = current_keys(connection, office, today).await?;
        let known = names(connection, rows.iter().map(|row| row.staff_id)).await?;
        let keys = rows
            .into_iter()
            .map(|row| OwnKey {
                id: row.id,
                recipient: row.recipient,
                staff: row.staff_id,
                name: known.get(&row.staff_id).cloned().unwrap_or_default(),
            })
            .collect();
        seen.push(OfficeKeys { office, name: name(&place).unwrap_or_default(), keys });
    }
    Ok(seen)
}

/// From now on reports to the office are sealed to this key too, and no more to the one that the same officer had.
///
/// # Errors
/// `not_found`, `forbidden`; `invalid_input` for what is no key; `report_key_used` for one that was published before.
pub async fn publish(
    store: &Store,
    command: &Command,
    county: CountyId,
    office: OrganizationId,
    recipient: String,
) -> Result<Outcome<ReportKeyId>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                may(&actor, Action::PublishReportKey, &subject(county, office))?;
                let Some(staff) = actor.staff().filter(|_| offices_of(&actor).is_ok_and(|own| own.contains(&office)))
                else {
                    return Err(Refusal::not_found().into());
                };
                Recipient::from_str(&recipient).map_err(|_| Fault::refused(ReportRefusal::NotAKey))?;
                unit.one_at_a_time(&format!("report keys {office}")).await?;
                let known = keys::Entity::find().filter(keys::Column::Recipient.eq(&recipient)).one(unit.connection());
                if known.await?.is_some() {
                    return Err(Fault::refused(ReportRefusal::KeyUsed));
                }
                let former = keys::Entity::find()
                    .filter(keys::Column::OfficeId.eq(office))
                    .filter(keys::Column::StaffId.eq(staff.id))
                    .filter(keys::Column::RetiredAt.is_null())
                    .all(unit.connection())
                    .await?;
                let was: Vec<_> = former.iter().map(|key| key.recipient.clone()).collect();
                for key in former {
                    let mut key = key.into_active_model();
                    key.retired_at = Set(Some(unit.now()));
                    keys::Entity::update(key).exec(unit.connection()).await?;
                }
                let id = ReportKeyId::new(unit.randomness(), unit.now());
                let entry = AuditEntry::new("report_key_published", office).changing(&was, &recipient);
                let row = keys::ActiveModel {
                    id: Set(id),
                    county_id: Set(county),
                    office_id: Set(office),
                    staff_id: Set(staff.id),
                    recipient: Set(recipient),
                    published_at: Set(unit.now()),
                    retired_at: Set(None),
                };
                keys::Entity::insert(row).exec_without_returning(unit.connection()).await?;
                Ok(Done::new(id, entry))
            })
        })
        .await
}

/// No report is sealed to this key any more, e.g. because its file is lost. Any officer of the office may say so.
///
/// # Errors
/// `not_found`, also for one that is retired.
pub async fn retire(store: &Store, command: &Command, county: CountyId, id: ReportKeyId) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let key = keys::Entity::find_by_id(id)
                    .lock_exclusive()
                    .one(unit.connection())
                    .await?
                    .filter(|key| key.retired_at.is_none())
                    .ok_or_else(Refusal::not_found)?;
                may(&actor, Action::PublishReportKey, &subject(key.county_id, key.office_id))
                    .map_err(|_| Refusal::not_found())?;
                let entry = AuditEntry::new("report_key_retired", key.office_id).changing(&key.recipient, &());
                let mut key = key.into_active_model();
                key.retired_at = Set(Some(unit.now()));
                keys::Entity::update(key).exec(unit.connection()).await?;
                Ok(Done::new((), entry))
            })
        })
        .await
}

#[cfg(test)]
mod tests {
    use sea_orm::Iterable as _;
    use uuid::Uuid;

    use super::*;
    use crate::{
        ids::PostId,
        people::{HeldPost, Resident, Staff},
        refusal::RefusalKind,
    };

    struct Place {
        kind: OrganizationKind,
        id: OrganizationId,
        township: Option<OrganizationId>,
    }

    fn staff(county: CountyId, role: Role, place: &Place) -> Actor {
        let post = HeldPost {
            id: PostId(Uuid::new_v4()),
            role,
            organization: place.id,
            organization_kind: place.kind,
            township: place.township,
        };
        let id = crate::ids::StaffId(Uuid::new_v4());
        Actor::Staff(Staff {
            id,
            county,
            posts: vec![post],
            recused_from_staff: vec![],
            recused_from_organizations: vec![],
        })
    }

    #[test]
    fn of_all_posts_everywhere_only_the_officers_of_the_very_office_see_a_report() {
        let id = || OrganizationId(Uuid::new_v4());
        let (county, township) = (CountyId(Uuid::new_v4()), id());
        let places = [
            Place { kind: OrganizationKind::County, id: id(), township: None },
            Place { kind: OrganizationKind::Township, id: township, township: Some(township) },
            Place { kind: OrganizationKind::Township, id: id(), township: Some(id()) },
            Place { kind: OrganizationKind::Village, id: id(), township: Some(township) },
            Place { kind: OrganizationKind::Department, id: id(), township: Some(township) },
        ];
        for office in &places[..2] {
            let about = subject(county, office.id);
            for role in Role::iter() {
                for place in &places {
                    let actor = staff(county, role, place);
                    let expected = role == Role::DisciplinaryOfficer && place.id == office.id;
                    for action in [Action::ViewSealedReport, Action::AnswerSealedReport] {
                        let allowed = may(&actor, action, &about);
                        assert_eq!(allowed.is_ok(), expected, "{action:?} {role:?} {:?}", place.kind);
                        // Never "forbidden": that would say that there is one.
                        assert!(allowed.is_ok() || allowed.unwrap_err().kind == RefusalKind::NotFound);
                    }
                    assert_eq!(may(&actor, Action::PublishReportKey, &about).is_ok(), expected);
                }
            }
            let resident = Actor::Resident(Resident {
                id: crate::ids::ResidentId(Uuid::new_v4()),
                county,
                township,
                village: places[3].id,
                also_staff: None,
            });
            for actor in [Actor::Visitor, resident] {
                let refused = may(&actor, Action::ViewSealedReport, &about).unwrap_err();
                assert_eq!(refused.kind, RefusalKind::NotFound);
            }
            let elsewhere = staff(CountyId(Uuid::new_v4()), Role::DisciplinaryOfficer, office);
            assert!(may(&elsewhere, Action::ViewSealedReport, &about).is_err(), "another county");
        }
    }
}
