//! What came out of the box: checked, loaded once, published, and — when the time for disputes is over — forgotten.

use chrono::{NaiveDate, TimeDelta};
use qingfeng_ballots::{
    Hex,
    ballot::Ballot,
    bundle::Bundle,
    canonical::canonical,
    close::{Publication, Voided},
    closing::Closing,
    count::{Count, Junk},
    log::{Leaf, Pinned},
    verification::{self, Check, Reader},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde::{Deserialize, Serialize};

use super::super::{
    Act, BallotBoxId, BoxState, Trouble,
    entity::{ballot_boxes, box_files, entries, issuance, rows},
};
use super::{
    by_the_clock,
    cancelling::{Ended, end_without_count},
    closing::issued_leaves,
    find_box, lock,
    log_keeping::{append, lines, manifest_of, signed_notes},
    move_on, note_trouble,
    paper::{slips_of, voided_slips},
};
use crate::{
    audit::AuditEntry,
    refusal::Fault,
    storage::{Done, Store, UnitOfWork},
};

const ROWS_PER_INSERT: usize = 500;
/// Days between publication and the destruction of envelopes and issuance: what is disputed is settled by then.
const DAYS_FOR_DISPUTES: i64 = 7;

/// The co-signer's count.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CountAnswer {
    pub ballots: Vec<Ballot>,
    pub junk: Vec<Junk>,
    pub unopenable: Vec<Hex<32>>,
    pub withheld: Vec<Hex<32>>,
    /// Leaves of those for whom the co-signer signed.
    pub issued_b: Vec<Hex<32>>,
    pub voided: Voided,
    /// Who stood by.
    #[serde(default)]
    pub observers: Vec<String>,
}

/// Takes the count of a closed box: rows and close record enter the log. A count that does not agree with box, log and
/// roll is not taken, and the box says so. `pinned` are the lines of the pinned keys.
///
/// # Errors
/// When the database does not answer.
pub async fn take_count(store: &Store, sid: BallotBoxId, pinned: String, answer: CountAnswer) -> Result<(), Fault> {
    let row = find_box(store, sid).await?;
    if row.state != BoxState::Closed {
        return Ok(());
    }
    let voided = voided_slips(&row)?;
    let closing = closing_of(store, &row, answer).await?;
    let agreed = closing.voided == voided;
    let bundle = closing.settled().bundle();
    // The final checkpoint comes after the count; everything else has to hold now.
    let (bundle, wrong) = tokio::task::spawn_blocking(move || {
        let pinned = Pinned::parse(&pinned).map_err(Fault::unavailable)?;
        let reader = Reader { pinned, checkpoints: vec![], fingerprints: vec![], mine: None, roll_size: None };
        let report = verification::verify(&bundle, &reader);
        let wrong: Vec<_> = report.failed.into_keys().filter(|check| *check != Check::V2).collect();
        Ok::<_, Fault>((bundle, wrong))
    })
    .await
    .map_err(Fault::unavailable)??;
    if !agreed || !wrong.is_empty() {
        tracing::error!(%sid, ?wrong, "a count does not agree with its box");
        return note_trouble(store, sid, Some(Trouble::CountWrong)).await;
    }
    store
        .command(row.county_id, &by_the_clock(row.county_id), move |unit| {
            Box::pin(async move {
                let row = lock(unit, sid).await?;
                if row.state != BoxState::Closed {
                    return Ok(Done { value: (), audit: vec![], notices: vec![] });
                }
                keep(unit, sid, bundle).await?;
                move_on(unit, &row, Act::TakeCount).await?;
                Ok(Done::new((), AuditEntry::new("ballot_box_counted", row.survey_id)))
            })
        })
        .await?;
    Ok(())
}

async fn closing_of(store: &Store, row: &ballot_boxes::Model, answer: CountAnswer) -> Result<Closing, Fault> {
    let box_leaves = lines(store.reader(), row.sid)
        .await?
        .iter()
        .skip(1)
        .map(|line| Leaf::parse(line.as_bytes()).map_err(Fault::unavailable))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Closing {
        manifest: manifest_of(row)?,
        box_leaves,
        count: Count {
            ballots: answer.ballots,
            junk: answer.junk,
            unopenable: answer.unopenable,
            withheld: answer.withheld,
        },
        issued_a: issued_leaves(store.reader(), row.sid).await?,
        issued_b: answer.issued_b,
        voided: answer.voided,
        paper: slips_of(store.reader(), row.sid).await?,
    })
}

async fn keep(unit: &UnitOfWork, sid: BallotBoxId, bundle: Bundle) -> Result<(), Fault> {
    let mut leaves: Vec<_> =
        bundle.ballots.iter().flatten().map(|row| Leaf::Ballot { h: row.ballot.row_hash() }).collect();
    leaves.push(Leaf::Close { h: bundle.close.hash() });
    append(unit, sid, &leaves).await?;
    // Of too few nobody gets the rows, not even an auditor.
    if bundle.close.publication > Publication::Count {
        let mut loaded = Vec::new();
        for row in bundle.ballots.into_iter().flatten() {
            loaded.push(rows::ActiveModel {
                sid: Set(sid),
                row_hash: Set(row.ballot.row_hash().0.to_vec()),
                row: Set(String::from_utf8(row.bytes).map_err(Fault::unavailable)?),
            });
        }
        for part in loaded.chunks(ROWS_PER_INSERT) {
            rows::Entity::insert_many(part.to_vec()).exec_without_returning(unit.connection()).await?;
        }
    }
    let files = [
        ("junk.json", canonical(&bundle.junk)),
        ("close.json", canonical(&bundle.close)),
        ("totals.json", canonical(&bundle.totals)),
    ];
    let files = files.map(|(name, content)| box_files::ActiveModel {
        sid: Set(sid),
        name: Set(name.to_owned()),
        content: Set(content),
    });
    box_files::Entity::insert_many(files).exec_without_returning(unit.connection()).await?;
    Ok(())
}

/// The co-signer found too few: nothing was opened, and nothing ever will be.
///
/// # Errors
/// When the database does not answer.
pub async fn find_too_few(store: &Store, sid: BallotBoxId) -> Result<(), Fault> {
    let county = find_box(store, sid).await?.county_id;
    store
        .command(county, &by_the_clock(county), move |unit| {
            Box::pin(async move {
                let row = lock(unit, sid).await?;
                if row.state != BoxState::Closed {
                    return Ok(Done { value: (), audit: vec![], notices: vec![] });
                }
                move_on(unit, &row, Act::FindTooFew).await?;
                end_without_count(unit, &row, Ended::TooFew).await?;
                forget_envelopes(unit, sid).await?;
                ended_today(unit, sid).await?;
                Ok(Done::new((), AuditEntry::new("ballot_box_of_too_few", row.survey_id)))
            })
        })
        .await?;
    Ok(())
}

/// Publishes a counted box whose whole log the quorum has signed. Does nothing before. The groups hear of it with the survey's
/// sheet, when its last box has ended.
///
/// # Errors
/// When the database does not answer.
pub async fn publish(store: &Store, sid: BallotBoxId) -> Result<(), Fault> {
    let county = find_box(store, sid).await?.county_id;
    store
        .command(county, &by_the_clock(county), move |unit| {
            Box::pin(async move {
                let row = lock(unit, sid).await?;
                let size = lines(unit.connection(), sid).await?.len();
                let last = signed_notes(unit.connection(), sid).await?.pop();
                let covered = last.is_some_and(|note| usize::try_from(note.size) == Ok(size));
                if row.state != BoxState::Counted || !covered {
                    return Ok(Done { value: (), audit: vec![], notices: vec![] });
                }
                move_on(unit, &row, Act::Publish).await?;
                ended_today(unit, sid).await?;
                Ok(Done::new((), AuditEntry::new("ballot_box_published", row.survey_id)))
            })
        })
        .await?;
    Ok(())
}

/// A week after the end envelopes and the record of who got a credential are destroyed. Does nothing before.
///
/// # Errors
/// When the database does not answer.
pub async fn wipe(store: &Store, sid: BallotBoxId) -> Result<(), Fault> {
    let county = find_box(store, sid).await?.county_id;
    store
        .command(county, &by_the_clock(county), move |unit| {
            Box::pin(async move {
                let row = lock(unit, sid).await?;
                let due = row.published_on.is_some_and(|day| unit.today() >= day + TimeDelta::days(DAYS_FOR_DISPUTES));
                if !due || !matches!(row.state, BoxState::Published | BoxState::TooFew) {
                    return Ok(Done { value: (), audit: vec![], notices: vec![] });
                }
                if row.state == BoxState::Published {
                    move_on(unit, &row, Act::Wipe).await?;
                }
                forget_envelopes(unit, sid).await?;
                forget_issuance(unit, sid).await?;
                end_on(unit, sid, None).await?;
                Ok(Done::new((), AuditEntry::new("ballot_box_wiped", row.survey_id)))
            })
        })
        .await?;
    Ok(())
}

async fn ended_today(unit: &UnitOfWork, sid: BallotBoxId) -> Result<(), Fault> {
    end_on(unit, sid, Some(unit.today())).await
}

/// The day from which the time for disputes runs; none when it is over.
async fn end_on(unit: &UnitOfWork, sid: BallotBoxId, day: Option<NaiveDate>) -> Result<(), Fault> {
    ballot_boxes::Entity::update_many()
        .col_expr(ballot_boxes::Column::PublishedOn, Expr::value(day))
        .filter(ballot_boxes::Column::Sid.eq(sid))
        .exec(unit.connection())
        .await?;
    Ok(())
}

pub(super) async fn forget_envelopes(unit: &UnitOfWork, sid: BallotBoxId) -> Result<(), Fault> {
    entries::Entity::delete_many().filter(entries::Column::Sid.eq(sid)).exec(unit.connection()).await?;
    Ok(())
}

pub(super) async fn forget_issuance(unit: &UnitOfWork, sid: BallotBoxId) -> Result<(), Fault> {
    issuance::Entity::delete_many().filter(issuance::Column::Sid.eq(sid)).exec(unit.connection()).await?;
    Ok(())
}
