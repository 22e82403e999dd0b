//! Into the box: no login, no person, no time.

use qingfeng_ballots::{
    Hex,
    blind::PublicKey,
    manifest::{Moduli, Windows},
    outer::{Outer, OuterRefusal},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};
use serde::Deserialize;

use super::super::{
    BallotBoxId, BoxState,
    entity::{ballot_boxes, entries},
};
use super::paper::slips_of;
use crate::{
    clock::shanghai_date,
    refusal::Fault,
    storage::{Store, UnitOfWork},
};

/// What became of what was thrown in. Nothing else is ever said about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thrown {
    /// In the box, now or since before.
    In,
    /// No such box, or not one that takes anything yet.
    NoBox,
    BadForm,
    /// No ticket of this platform, or not signed by its tag.
    NoTicket,
    /// A revision of this tag with the same or a higher number is in the box.
    Stale,
    Closed,
}

/// What the box reads of the manifest.
#[derive(Deserialize)]
struct Terms {
    keys: Moduli,
    windows: Windows,
}

/// Takes an envelope. The identical bytes once more are in the box already.
///
/// # Errors
/// When the database does not answer; everything else is an answer.
pub async fn throw_in(store: &Store, sid: BallotBoxId, bytes: &[u8]) -> Result<Thrown, Fault> {
    let Some(row) = ballot_boxes::Entity::find_by_id(sid).one(store.reader()).await? else { return Ok(Thrown::NoBox) };
    let Some(manifest) = row.manifest.filter(|_| row.state != BoxState::Signed) else { return Ok(Thrown::NoBox) };
    let Ok(outer) = Outer::parse(bytes) else { return Ok(Thrown::BadForm) };
    let terms: Terms = serde_json::from_str(&manifest).map_err(Fault::unavailable)?;
    let key = PublicKey::from_modulus(terms.keys.d.as_slice()).map_err(Fault::unavailable)?;
    match outer.admit(&sid.sid(), &key, None) {
        Ok(()) => {}
        Err(OuterRefusal::Form | OuterRefusal::TooManyRevisions) => return Ok(Thrown::BadForm),
        Err(OuterRefusal::StaleSequence) => return Ok(Thrown::Stale),
        Err(OuterRefusal::ForeignSurvey | OuterRefusal::Ticket | OuterRefusal::Signature) => {
            return Ok(Thrown::NoTicket);
        }
    }
    let today = shanghai_date(store.clock().now()).to_string();
    let on_time = terms.windows.cast_from <= today && today <= terms.windows.cast_until;
    let bytes = bytes.to_vec();
    let thrown = store
        .anonymous(move |unit| {
            Box::pin(async move {
                // Held, so that the box is not shut in between.
                let row = ballot_boxes::Entity::find_by_id(sid).lock_shared().one(unit.connection()).await?;
                let open = on_time && row.is_some_and(|row| row.state.is_open());
                put(unit, sid, &outer, bytes, open).await
            })
        })
        .await;
    match thrown {
        // Two revisions at the same instant: one of them came second.
        Err(Fault::Overtaken) => Ok(Thrown::Stale),
        answer => answer,
    }
}

async fn put(unit: &UnitOfWork, sid: BallotBoxId, outer: &Outer, bytes: Vec<u8>, open: bool) -> Result<Thrown, Fault> {
    let hash = outer.envelope_hash().0.to_vec();
    if let Some(known) = entries::Entity::find_by_id(hash.clone()).one(unit.connection()).await? {
        return Ok(if known.outer == bytes { Thrown::In } else { Thrown::Stale });
    }
    if !open {
        return Ok(Thrown::Closed);
    }
    // A slip is good once: its code may come into other hands afterwards.
    if outer.seq > 0 && slips_of(unit.connection(), sid).await?.has_tag(&outer.tag) {
        return Ok(Thrown::Stale);
    }
    let held = held(unit, sid, &outer.tag).await?;
    let seq = i32::try_from(outer.seq).map_err(Fault::unavailable)?;
    if held.is_some_and(|held| seq <= held) {
        return Ok(Thrown::Stale);
    }
    let row = entries::ActiveModel {
        env_hash: Set(hash.clone()),
        sid: Set(sid),
        tag: Set(outer.tag.0.to_vec()),
        seq: Set(seq),
        outer: Set(bytes.clone()),
        batch_no: Set(None),
    };
    let once = OnConflict::new().do_nothing().to_owned();
    let written =
        entries::Entity::insert_many([row]).on_conflict(once).exec_without_returning(unit.connection()).await?;
    if written == 1 {
        return Ok(Thrown::In);
    }
    let known = entries::Entity::find_by_id(hash).one(unit.connection()).await?;
    Ok(if known.is_some_and(|known| known.outer == bytes) { Thrown::In } else { Thrown::Stale })
}

/// The highest revision of this tag in the box.
async fn held(unit: &UnitOfWork, sid: BallotBoxId, tag: &Hex<32>) -> Result<Option<i32>, Fault> {
    let highest: Option<i32> = entries::Entity::find()
        .select_only()
        .column(entries::Column::Seq)
        .filter(entries::Column::Sid.eq(sid))
        .filter(entries::Column::Tag.eq(tag.0.to_vec()))
        .order_by_desc(entries::Column::Seq)
        .limit(1)
        .into_tuple()
        .one(unit.connection())
        .await?;
    Ok(highest)
}
