//! Who is away, and who stands in (6.4): what would have gone to the one goes to the other, so that no deadline is missed
//! because somebody is in hospital.

use chrono::NaiveDate;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr,
};

use super::{
    Staff,
    authorization::{Action, Subject, may},
    entity::{absences, staff},
    staff_in,
};
use crate::{
    audit::AuditEntry,
    ids::{AbsenceId, CountyId, StaffId},
    refusal::{Fault, FieldFault, Refusal, RefusalKind},
    storage::{Command, Done, Outcome, Store},
};

/// Longest absence, in days: who is away for longer hands the post over.
pub const LONGEST_DAYS: i64 = 90;

/// An absence to be written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewAbsence {
    pub staff: StaffId,
    pub deputy: StaffId,
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AbsenceRefusal {
    #[error("the dates are in the wrong order, in the past, or too far apart")]
    BadDates,
    #[error("nobody stands in for himself, or for somebody of another unit")]
    BadDeputy,
    #[error("the deputy is away himself")]
    DeputyAbsent,
    #[error("another absence is written down for some of these days")]
    Overlaps,
    #[error("it is over already")]
    Over,
}

impl From<AbsenceRefusal> for Refusal {
    fn from(refusal: AbsenceRefusal) -> Self {
        let field = |pointer, sentence: String| Self::invalid(vec![FieldFault::new(pointer, sentence)]);
        let conflict = |code, sentence: &str| Self::new(RefusalKind::Conflict, code, sentence);
        match refusal {
            AbsenceRefusal::BadDates => {
                field("/to", format!("请填今天以后的日期，最后一天不早于第一天，最长{LONGEST_DAYS}天。"))
            }
            AbsenceRefusal::BadDeputy => field("/deputy_id", "代理人要是同一单位的在职人员。".into()),
            AbsenceRefusal::DeputyAbsent => conflict("deputy_absent", "代理人这几天也不在岗，请换一个人。"),
            AbsenceRefusal::Overlaps => conflict("absence_overlaps", "这几天已经登记过不在岗。"),
            AbsenceRefusal::Over => conflict("absence_over", "这段不在岗已经结束了。"),
        }
    }
}

/// Whether the dates make sense, said today.
///
/// # Errors
/// [`AbsenceRefusal::BadDates`].
pub fn check_dates(from: NaiveDate, to: NaiveDate, today: NaiveDate) -> Result<(), AbsenceRefusal> {
    let days = (to - from).num_days() + 1;
    if from < today || !(1..=LONGEST_DAYS).contains(&days) { Err(AbsenceRefusal::BadDates) } else { Ok(()) }
}

fn share_a_unit(one: &Staff, other: &Staff) -> bool {
    one.posts.iter().any(|post| other.posts.iter().any(|known| known.organization == post.organization))
}

fn overlapping(staff: StaffId, from: NaiveDate, to: NaiveDate) -> Condition {
    Condition::all()
        .add(absences::Column::StaffId.eq(staff))
        .add(absences::Column::FromDate.lte(to))
        .add(absences::Column::ToDate.gte(from))
}

/// What decides who may say that somebody is away: he himself, and the office of his township.
fn subject(county: CountyId, person: &Staff) -> Subject {
    Subject {
        county: Some(county),
        township: person.posts.iter().find_map(|post| post.township),
        handler: Some(person.id),
        ..Subject::default()
    }
}

/// Writes down that somebody will be away, and who stands in.
///
/// # Errors
/// [`AbsenceRefusal`]; `not_found` for whoever may not know of the person.
pub async fn record(
    store: &Store,
    command: &Command,
    county: CountyId,
    new: NewAbsence,
) -> Result<Outcome<AbsenceId>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let today = unit.today();
                let person = staff_in(unit.connection(), new.staff, today).await?.ok_or_else(Refusal::not_found)?;
                if person.county != county {
                    return Err(Refusal::not_found().into());
                }
                may(&actor, Action::RecordAbsence, &subject(county, &person))?;
                check_dates(new.from, new.to, today).map_err(Fault::refused)?;
                let deputy = staff_in(unit.connection(), new.deputy, today).await?;
                let deputy = deputy.filter(|deputy| deputy.id != person.id && share_a_unit(deputy, &person));
                if deputy.is_none() {
                    return Err(Fault::refused(AbsenceRefusal::BadDeputy));
                }
                // Two absences at once would otherwise both pass.
                staff::Entity::update_many()
                    .col_expr(staff::Column::Active, Expr::value(true))
                    .filter(staff::Column::Id.eq(new.staff))
                    .filter(staff::Column::Active.eq(true))
                    .exec(unit.connection())
                    .await?;
                let find = |staff| absences::Entity::find().filter(overlapping(staff, new.from, new.to));
                if find(new.staff).one(unit.connection()).await?.is_some() {
                    return Err(Fault::refused(AbsenceRefusal::Overlaps));
                }
                if find(new.deputy).one(unit.connection()).await?.is_some() {
                    return Err(Fault::refused(AbsenceRefusal::DeputyAbsent));
                }
                let id = AbsenceId::new(unit.randomness(), unit.now());
                unit.later(&absences::Entity::insert(absences::ActiveModel {
                    id: Set(id),
                    county_id: Set(county),
                    staff_id: Set(new.staff),
                    deputy_staff_id: Set(new.deputy),
                    from_date: Set(new.from),
                    to_date: Set(new.to),
                    created_at: Set(unit.now()),
                }));
                Ok(Done::new(id, AuditEntry::new("absence_recorded", new.staff).changing(&(), &new.deputy)))
            })
        })
        .await
}

/// Back earlier: the last day is yesterday, or there is no absence at all.
///
/// # Errors
/// `not_found`; [`AbsenceRefusal::Over`].
pub async fn end(store: &Store, command: &Command, county: CountyId, id: AbsenceId) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let today = unit.today();
                let row = absences::Entity::find_by_id(id).one(unit.connection()).await?;
                let row = row.filter(|row| row.county_id == county).ok_or_else(Refusal::not_found)?;
                let person = staff_in(unit.connection(), row.staff_id, today).await?.ok_or_else(Refusal::not_found)?;
                may(&actor, Action::RecordAbsence, &subject(county, &person))?;
                if row.to_date < today {
                    return Err(Fault::refused(AbsenceRefusal::Over));
                }
                if row.from_date >= today {
                    unit.later(&absences::Entity::delete_by_id(id));
                } else {
                    unit.later(
                        &absences::Entity::update_many()
                            .col_expr(absences::Column::ToDate, Expr::value(today.pred_opt()))
                            .filter(absences::Column::Id.eq(id)),
                    );
                }
                Ok(Done::new((), AuditEntry::new("absence_ended", row.staff_id)))
            })
        })
        .await
}

/// Who stands in for somebody on this day. A deputy who is away himself has a deputy of his own, who then stands in for both. None
/// when the person is there himself, and when nobody is there at the end: a deputy has left the service, or each stands in for
/// another.
///
/// # Errors
/// When the database does not answer.
pub async fn deputy_on(
    connection: &impl ConnectionTrait,
    person: StaffId,
    on: NaiveDate,
) -> Result<Option<StaffId>, Fault> {
    let mut passed = vec![person];
    let mut present = person;
    while let Some(absence) = absences::Entity::find().filter(overlapping(present, on, on)).one(connection).await? {
        let deputy = staff::Entity::find_by_id(absence.deputy_staff_id).one(connection).await?;
        match deputy.filter(|deputy| deputy.active && !passed.contains(&deputy.id)) {
            Some(deputy) => present = deputy.id,
            None => return Ok(None),
        }
        passed.push(present);
    }
    Ok((present != person).then_some(present))
}

/// The absences of somebody that are not over, the next first.
///
/// # Errors
/// When the database does not answer.
pub async fn coming(store: &Store, person: StaffId, today: NaiveDate) -> Result<Vec<absences::Model>, Fault> {
    Ok(absences::Entity::find()
        .filter(absences::Column::StaffId.eq(person))
        .filter(absences::Column::ToDate.gte(today))
        .order_by_asc(absences::Column::FromDate)
        .all(store.reader())
        .await?)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, 0, true)]
    #[case(0, 89, true)]
    #[case(0, 90, false)]
    #[case(3, 2, false)]
    #[case(-1, 2, false)]
    fn an_absence_is_ahead_in_order_and_not_too_long(#[case] from: i64, #[case] to: i64, #[case] fits: bool) {
        let today = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
        let day = |days| today + chrono::TimeDelta::days(days);
        assert_eq!(check_dates(day(from), day(to), today).is_ok(), fits);
    }
}
