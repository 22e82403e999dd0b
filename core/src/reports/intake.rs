//! What reporters do: no login, no person, no time.

use qingfeng_ballots::reports::recipients;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use sha2::{Digest, Sha256};

use super::{
    MOST_ADDITIONS, Office, Part, ReportRefusal, Side, State,
    entity::{parts, reports},
    offices::office,
};
use crate::{
    clock::shanghai_date,
    ids::{OrganizationId, SealedReportId, random_id},
    people::entity::organizations,
    refusal::{Fault, Refusal},
    storage::{Store, UnitOfWork},
};

/// A report as it comes from a phone.
#[derive(Clone, Debug)]
pub struct NewReport {
    pub office: OrganizationId,
    /// Derived from the reporter's code: what the report is looked up by.
    pub lookup: [u8; 32],
    pub sealed: Vec<u8>,
}

/// A report as whoever has its code sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    pub state: State,
    /// To whose keys additions are sealed; none while the office has none.
    pub office: Option<Office>,
    pub parts: Vec<Part>,
}

pub(super) fn digest(lookup: &[u8; 32]) -> Vec<u8> {
    Sha256::digest(lookup).to_vec()
}

/// Refuses what is no envelope: so it is never more than one size of bytes that is kept.
pub(super) fn must_be_sealed(sealed: &[u8]) -> Result<(), ReportRefusal> {
    recipients(sealed).map(|_| ()).ok_or(ReportRefusal::NotSealed)
}

/// Takes a report. The same one once more is there already.
///
/// # Errors
/// `invalid_input` for what is not sealed; `office_not_receiving`; `report_code_taken` when another report has this code.
pub async fn submit(store: &Store, new: NewReport) -> Result<(), Fault> {
    must_be_sealed(&new.sealed).map_err(Fault::refused)?;
    if is_there(store, &new).await? {
        return Ok(());
    }
    let today = shanghai_date(store.clock().now());
    let place = organizations::Entity::find_by_id(new.office).one(store.reader()).await?;
    let place = place.ok_or_else(|| Fault::refused(ReportRefusal::NotReceiving))?;
    if office(store.reader(), &place, today).await?.is_none() {
        return Err(Fault::refused(ReportRefusal::NotReceiving));
    }
    let (put, county) = (new.clone(), place.county_id);
    let done = store
        .anonymous(move |unit| {
            Box::pin(async move {
                let id = SealedReportId(random_id(unit.randomness()));
                let row = reports::ActiveModel {
                    id: Set(id),
                    county_id: Set(county),
                    office_id: Set(put.office),
                    lookup_digest: Set(digest(&put.lookup)),
                    received_on: Set(unit.today()),
                    state: Set(State::Received),
                };
                reports::Entity::insert(row).exec_without_returning(unit.connection()).await?;
                put_part(unit, id, 0, Side::Reporter, put.sealed).await
            })
        })
        .await;
    match done {
        // The phone sent it twice at the same moment.
        Err(Fault::Overtaken) if is_there(store, &new).await? => Ok(()),
        done => done,
    }
}

/// Whether this very report was taken before.
async fn is_there(store: &Store, new: &NewReport) -> Result<bool, Fault> {
    let Some(known) = find(store, &new.lookup).await? else { return Ok(false) };
    let first = parts::Entity::find_by_id((known.id, 0)).one(store.reader()).await?;
    if known.office_id == new.office && first.is_some_and(|first| first.sealed == new.sealed) {
        return Ok(true);
    }
    Err(Fault::refused(ReportRefusal::CodeTaken))
}

async fn find(store: &Store, lookup: &[u8; 32]) -> Result<Option<reports::Model>, Fault> {
    Ok(reports::Entity::find().filter(reports::Column::LookupDigest.eq(digest(lookup))).one(store.reader()).await?)
}

pub(super) async fn put_part(
    unit: &UnitOfWork,
    report: SealedReportId,
    number: i32,
    side: Side,
    sealed: Vec<u8>,
) -> Result<(), Fault> {
    let row = parts::ActiveModel { report_id: Set(report), number: Set(number), side: Set(side), sealed: Set(sealed) };
    parts::Entity::insert(row).exec_without_returning(unit.connection()).await?;
    Ok(())
}

/// All envelopes of a report, in their order.
pub(super) async fn parts_of(store: &Store, report: SealedReportId) -> Result<Vec<Part>, Fault> {
    let rows = parts::Entity::find()
        .filter(parts::Column::ReportId.eq(report))
        .order_by_asc(parts::Column::Number)
        .all(store.reader())
        .await?;
    Ok(rows.into_iter().map(|row| Part { side: row.side, sealed: row.sealed }).collect())
}

/// The number that the next envelope gets. To be asked under the report's lock.
pub(super) async fn next_number(unit: &UnitOfWork, report: SealedReportId) -> Result<i32, Fault> {
    let last: Option<i32> = parts::Entity::find()
        .select_only()
        .column(parts::Column::Number)
        .filter(parts::Column::ReportId.eq(report))
        .order_by_desc(parts::Column::Number)
        .limit(1)
        .into_tuple()
        .one(unit.connection())
        .await?;
    Ok(last.map_or(0, |last| last + 1))
}

/// What has become of a report.
///
/// # Errors
/// `report_unknown`.
pub async fn follow(store: &Store, lookup: &[u8; 32]) -> Result<Followed, Fault> {
    let report = find(store, lookup).await?.ok_or_else(|| Fault::refused(ReportRefusal::Unknown))?;
    let place = organizations::Entity::find_by_id(report.office_id)
        .one(store.reader())
        .await?
        .ok_or_else(Refusal::not_found)?;
    let today = shanghai_date(store.clock().now());
    Ok(Followed {
        state: report.state,
        office: office(store.reader(), &place, today).await?,
        parts: parts_of(store, report.id).await?,
    })
}

/// Adds to a report. The same envelope once more is there already.
///
/// # Errors
/// `invalid_input` for what is not sealed; `report_unknown`; `too_many_additions`.
pub async fn add(store: &Store, lookup: &[u8; 32], sealed: Vec<u8>) -> Result<(), Fault> {
    must_be_sealed(&sealed).map_err(Fault::refused)?;
    let digest = digest(lookup);
    store
        .anonymous(move |unit| {
            Box::pin(async move {
                let report = reports::Entity::find()
                    .filter(reports::Column::LookupDigest.eq(digest))
                    .lock_exclusive()
                    .one(unit.connection())
                    .await?
                    .ok_or_else(|| Fault::refused(ReportRefusal::Unknown))?;
                let own = parts::Entity::find()
                    .filter(parts::Column::ReportId.eq(report.id))
                    .filter(parts::Column::Side.eq(Side::Reporter))
                    .all(unit.connection())
                    .await?;
                if own.iter().any(|part| part.sealed == sealed) {
                    return Ok(());
                }
                // The report itself is no addition.
                if own.len() > MOST_ADDITIONS {
                    return Err(Fault::refused(ReportRefusal::TooManyAdditions));
                }
                let number = next_number(unit, report.id).await?;
                put_part(unit, report.id, number, Side::Reporter, sealed).await
            })
        })
        .await
}
