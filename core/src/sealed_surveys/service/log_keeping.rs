//! From the box into the public log, and the quorum's signatures under it.

use chrono::TimeDelta;
use qingfeng_ballots::{
    Hex,
    log::{Checkpoint, Leaf, Tree},
    manifest::Manifest,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, OnConflict},
};

use super::super::{
    BallotBoxId, BoxState,
    batches::is_due,
    entity::{ballot_boxes, checkpoints, entries, log},
};
use super::{find_box, lock, paper::waits_for_slips};
use crate::{
    refusal::Fault,
    storage::{Store, UnitOfWork},
};

const ROWS_PER_INSERT: usize = 500;

/// Moves what waits in an open box into the log, when it is time.
///
/// # Errors
/// When the database does not answer.
pub async fn flush(store: &Store, sid: BallotBoxId, longest: TimeDelta) -> Result<(), Fault> {
    store
        .anonymous(move |unit| {
            Box::pin(async move {
                let row = lock(unit, sid).await?;
                if !row.state.is_open() {
                    return Ok(());
                }
                let waiting = entries::Entity::find()
                    .filter(entries::Column::Sid.eq(sid))
                    .filter(entries::Column::BatchNo.is_null())
                    .count(unit.connection())
                    .await?;
                let since_last = row.flushed_at.map_or(TimeDelta::MAX, |last| unit.now() - last);
                if is_due(usize::try_from(waiting).unwrap_or(usize::MAX), since_last, longest) {
                    append_waiting(unit, &row).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Appends everything that waits as one batch, in the order of the envelopes' hashes.
pub(super) async fn append_waiting(unit: &UnitOfWork, row: &ballot_boxes::Model) -> Result<(), Fault> {
    let waiting = entries::Entity::find()
        .filter(entries::Column::Sid.eq(row.sid))
        .filter(entries::Column::BatchNo.is_null())
        .order_by_asc(entries::Column::EnvHash)
        .all(unit.connection())
        .await?;
    if waiting.is_empty() {
        return Ok(());
    }
    let leaf = |entry: &entries::Model| -> Result<Leaf, Fault> {
        Ok(Leaf::Box {
            tag: hex(&entry.tag)?,
            seq: u32::try_from(entry.seq).map_err(Fault::unavailable)?,
            h: hex(&entry.env_hash)?,
        })
    };
    let leaves = waiting.iter().map(leaf).collect::<Result<Vec<_>, Fault>>()?;
    append(unit, row.sid, &leaves).await?;
    let batch = row.batches + 1;
    entries::Entity::update_many()
        .col_expr(entries::Column::BatchNo, Expr::value(Some(batch)))
        .filter(entries::Column::Sid.eq(row.sid))
        .filter(entries::Column::BatchNo.is_null())
        .exec(unit.connection())
        .await?;
    ballot_boxes::Entity::update_many()
        .col_expr(ballot_boxes::Column::Batches, Expr::value(batch))
        .col_expr(ballot_boxes::Column::FlushedAt, Expr::value(Some(unit.now())))
        .filter(ballot_boxes::Column::Sid.eq(row.sid))
        .exec(unit.connection())
        .await?;
    Ok(())
}

/// Appends leaves to the log of a locked box.
pub(super) async fn append(unit: &UnitOfWork, sid: BallotBoxId, leaves: &[Leaf]) -> Result<(), Fault> {
    let size = log::Entity::find().filter(log::Column::Sid.eq(sid)).count(unit.connection()).await?;
    let mut rows = Vec::with_capacity(leaves.len());
    for (index, leaf) in (size..).zip(leaves) {
        rows.push(log::ActiveModel {
            sid: Set(sid),
            idx: Set(i64::try_from(index).map_err(Fault::unavailable)?),
            leaf: Set(String::from_utf8(leaf.to_bytes()).map_err(Fault::unavailable)?),
        });
    }
    for part in rows.chunks(ROWS_PER_INSERT) {
        log::Entity::insert_many(part.to_vec()).exec_without_returning(unit.connection()).await?;
    }
    Ok(())
}

pub(super) fn hex<const LENGTH: usize>(bytes: &[u8]) -> Result<Hex<LENGTH>, Fault> {
    Hex::try_from(bytes).map_err(|_| Fault::unavailable("a hash of another length in the box"))
}

/// The lines of a log, from its first.
pub(in crate::sealed_surveys) async fn lines(
    connection: &impl ConnectionTrait,
    sid: BallotBoxId,
) -> Result<Vec<String>, Fault> {
    let rows =
        log::Entity::find().filter(log::Column::Sid.eq(sid)).order_by_asc(log::Column::Idx).all(connection).await?;
    Ok(rows.into_iter().map(|row| row.leaf).collect())
}

/// The quorum's notes, from the oldest.
pub(in crate::sealed_surveys) async fn signed_notes(
    connection: &impl ConnectionTrait,
    sid: BallotBoxId,
) -> Result<Vec<checkpoints::Model>, Fault> {
    Ok(checkpoints::Entity::find()
        .filter(checkpoints::Column::Sid.eq(sid))
        .order_by_asc(checkpoints::Column::Size)
        .all(connection)
        .await?)
}

/// The manifest of a box, from its signing on.
pub(in crate::sealed_surveys) fn manifest_of(row: &ballot_boxes::Model) -> Result<Manifest, Fault> {
    let text = row.manifest.as_deref().ok_or_else(|| Fault::unavailable("a box without its manifest"))?;
    serde_json::from_str(text).map_err(Fault::unavailable)
}

/// Leaves that the quorum has not signed yet.
#[derive(Debug)]
pub struct Extension {
    pub manifest: Manifest,
    /// Size at the last note of the quorum; 0 before the first.
    pub before: u64,
    pub leaves: Vec<String>,
    pub checkpoint: Checkpoint,
    tree: Tree,
}

impl Extension {
    /// Shows that the log of the given size is a prefix of this one.
    #[must_use]
    pub fn consistency(&self, old: u64) -> Vec<Hex<32>> {
        self.tree.consistency(old, self.checkpoint.size).unwrap_or_default()
    }
}

/// What the quorum has to sign next; none when its last note covers the log, or the paper slips are not printed yet.
///
/// # Errors
/// When the database does not answer.
pub async fn extension(store: &Store, sid: BallotBoxId) -> Result<Option<Extension>, Fault> {
    let row = find_box(store, sid).await?;
    // The first note opens the box at the co-signer: the slips have to be printed before.
    if row.manifest.is_none() || (row.state == BoxState::Signed && waits_for_slips(store.reader(), &row).await?) {
        return Ok(None);
    }
    let leaves = lines(store.reader(), sid).await?;
    let last = signed_notes(store.reader(), sid).await?.pop();
    let before = last.map_or(Ok(0), |note| usize::try_from(note.size)).map_err(Fault::unavailable)?;
    if leaves.len() <= before {
        return Ok(None);
    }
    let mut tree = Tree::default();
    leaves.iter().for_each(|leaf| tree.append(leaf.as_bytes()));
    let size = tree.size();
    let root = tree.root(size).ok_or_else(|| Fault::unavailable("a tree without its root"))?;
    Ok(Some(Extension {
        manifest: manifest_of(&row)?,
        before: u64::try_from(before).map_err(Fault::unavailable)?,
        leaves: leaves[before..].to_vec(),
        checkpoint: Checkpoint { size, root },
        tree,
    }))
}

/// Keeps a note of the quorum.
///
/// # Errors
/// When the database does not answer.
pub async fn record_checkpoint(
    store: &Store,
    sid: BallotBoxId,
    checkpoint: Checkpoint,
    note: String,
) -> Result<(), Fault> {
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                lock(unit, sid).await?;
                let once =
                    OnConflict::columns([checkpoints::Column::Sid, checkpoints::Column::Size]).do_nothing().to_owned();
                checkpoints::Entity::insert_many([checkpoints::ActiveModel {
                    sid: Set(sid),
                    size: Set(i64::try_from(checkpoint.size).map_err(Fault::unavailable)?),
                    note: Set(note),
                }])
                .on_conflict(once)
                .exec_without_returning(unit.connection())
                .await?;
                Ok(())
            })
        })
        .await
}
