//! The last day is over: the box is shut, the keys are gone, and the envelopes go to the co-signer.

use qingfeng_ballots::{Hex, close::Voided, envelope::ENVELOPE_LENGTH, outer::Outer};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use super::super::{
    Act, BallotBoxId, BoxState,
    entity::{ballot_boxes, entries, issuance, roll, sealed_surveys},
};
use super::{
    by_the_clock, find_box, lock,
    log_keeping::{append_waiting, hex, signed_notes},
    move_on,
    paper::voided_slips,
};
use crate::{
    audit::AuditEntry,
    refusal::{Fault, Refusal},
    storage::{Done, Store},
};

/// The days for credentials are over. Does nothing before.
///
/// # Errors
/// When the database does not answer.
pub async fn end_issuing(store: &Store, sid: BallotBoxId) -> Result<(), Fault> {
    let county = find_box(store, sid).await?.county_id;
    store
        .command(county, &by_the_clock(county), move |unit| {
            Box::pin(async move {
                let row = lock(unit, sid).await?;
                let survey = sealed_surveys::Entity::find_by_id(row.survey_id).one(unit.connection()).await?;
                let over = unit.today() > survey.ok_or_else(Refusal::not_found)?.issue_until;
                if row.state != BoxState::Issuing || !over {
                    return Ok(Done { value: (), audit: vec![], notices: vec![] });
                }
                move_on(unit, &row, Act::EndIssuing).await?;
                Ok(Done::new((), AuditEntry::new("ballot_box_issuing_ended", row.survey_id)))
            })
        })
        .await?;
    Ok(())
}

/// Shuts the box after its last day: the last batch, whatever its size, and no signing key any more. Does nothing before.
///
/// # Errors
/// When the database does not answer.
pub async fn close(store: &Store, sid: BallotBoxId) -> Result<(), Fault> {
    let county = find_box(store, sid).await?.county_id;
    store
        .command(county, &by_the_clock(county), move |unit| {
            Box::pin(async move {
                let row = lock(unit, sid).await?;
                let survey = sealed_surveys::Entity::find_by_id(row.survey_id).one(unit.connection()).await?;
                let over = unit.today() > survey.ok_or_else(Refusal::not_found)?.cast_until;
                if !row.state.is_open() || !over {
                    return Ok(Done { value: (), audit: vec![], notices: vec![] });
                }
                append_waiting(unit, &row).await?;
                move_on(unit, &row, Act::Close).await?;
                ballot_boxes::Entity::update_many()
                    .col_expr(ballot_boxes::Column::KeyASealed, Expr::value(Option::<Vec<u8>>::None))
                    .col_expr(ballot_boxes::Column::KeyDSealed, Expr::value(Option::<Vec<u8>>::None))
                    .filter(ballot_boxes::Column::Sid.eq(sid))
                    .exec(unit.connection())
                    .await?;
                Ok(Done::new((), AuditEntry::new("ballot_box_closed", row.survey_id)))
            })
        })
        .await?;
    Ok(())
}

/// Envelopes of a closed box in the order of their hashes, from behind this one.
///
/// # Errors
/// When the database does not answer.
pub async fn envelopes_after(
    store: &Store,
    sid: BallotBoxId,
    after: Option<Hex<32>>,
    most: u64,
) -> Result<Vec<(Hex<32>, Hex<ENVELOPE_LENGTH>)>, Fault> {
    let mut query =
        entries::Entity::find().filter(entries::Column::Sid.eq(sid)).filter(entries::Column::BatchNo.is_not_null());
    if let Some(after) = after {
        query = query.filter(entries::Column::EnvHash.gt(after.0.to_vec()));
    }
    let found = query.order_by_asc(entries::Column::EnvHash).limit(most).all(store.reader()).await?;
    let envelope = |entry: entries::Model| -> Result<_, Fault> {
        let outer = Outer::parse(&entry.outer).map_err(Fault::unavailable)?;
        Ok((hex(&entry.env_hash)?, outer.env))
    };
    found.into_iter().map(envelope).collect()
}

/// What the co-signer needs beside the envelopes.
#[derive(Clone, Debug)]
pub struct HandOver {
    /// Leaves of those for whom the platform signed, sorted.
    pub issued_a: Vec<Hex<32>>,
    /// Paper slips that count for nothing.
    pub voided: Voided,
    /// The quorum's note over the closed box.
    pub note: String,
}

/// What is handed over with the closed box.
///
/// # Errors
/// When the quorum has not signed the closed box, or the database does not answer.
pub async fn hand_over(store: &Store, sid: BallotBoxId) -> Result<HandOver, Fault> {
    let row = find_box(store, sid).await?;
    let last = signed_notes(store.reader(), sid).await?.pop();
    Ok(HandOver {
        issued_a: issued_leaves(store.reader(), sid).await?,
        voided: voided_slips(&row)?,
        note: last.ok_or_else(|| Fault::unavailable("a closed box without a checkpoint"))?.note,
    })
}

/// Leaves of those for whom the platform signed, sorted.
pub(super) async fn issued_leaves(
    connection: &impl sea_orm::ConnectionTrait,
    sid: BallotBoxId,
) -> Result<Vec<Hex<32>>, Fault> {
    let issued: std::collections::BTreeSet<_> = issuance::Entity::find()
        .filter(issuance::Column::Sid.eq(sid))
        .all(connection)
        .await?
        .into_iter()
        .map(|row| row.resident_id)
        .collect();
    let entries = roll::Entity::find().filter(roll::Column::Sid.eq(sid)).all(connection).await?;
    let leaves = entries.iter().filter(|entry| issued.contains(&entry.resident_id)).map(|entry| hex(&entry.leaf));
    let mut leaves = leaves.collect::<Result<Vec<_>, Fault>>()?;
    leaves.sort_unstable();
    Ok(leaves)
}

/// The co-signer has the closed box, or knows of the cancelling.
///
/// # Errors
/// When the database does not answer.
pub async fn handed_over(store: &Store, sid: BallotBoxId) -> Result<(), Fault> {
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                ballot_boxes::Entity::update_many()
                    .col_expr(ballot_boxes::Column::HandedOver, Expr::value(true))
                    .filter(ballot_boxes::Column::Sid.eq(sid))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await
}
