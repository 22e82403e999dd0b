//! Moves boxes on: by the clock, and by what co-signer and witness answer. Every step may be repeated and may be interrupted;
//! what could not be done is done at the next turn.

use std::{collections::BTreeSet, time::Duration};

use actix_web::web;
use chrono::TimeDelta;
use qingfeng_core::{
    ids::SealedSurveyId,
    refusal::Fault,
    sealed_surveys::{
        BallotBoxId, BoxState, Trouble,
        entity::ballot_boxes,
        service::{
            close, end_issuing, envelopes_after, extension, find_box, find_too_few, flush, hand_over, handed_over,
            is_unaccounted, note_trouble, post_fingerprints, publish, record_checkpoint, remind, take_count, wipe,
        },
    },
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio_util::sync::CancellationToken;

use super::preparing::prepare_box;
use crate::{
    Application,
    cosigner::{CosignerFault, Counted, ENVELOPES_PER_REQUEST},
};

/// Only one process moves boxes on.
const LEASE: &str = "sealed surveys";

/// What stands against a step.
#[derive(Debug)]
enum Halt {
    Fault(Fault),
    Cosigner(CosignerFault),
    Trouble(Trouble),
}

impl From<Fault> for Halt {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<CosignerFault> for Halt {
    fn from(fault: CosignerFault) -> Self {
        Self::Cosigner(fault)
    }
}

/// What is written down of a fault of the other side.
pub(super) fn trouble_of(fault: &CosignerFault) -> Trouble {
    match fault {
        CosignerFault::Down(_) => Trouble::CosignerDown,
        CosignerFault::Forked => Trouble::LogForked,
        CosignerFault::Refused { .. } | CosignerFault::Wrong(_) => Trouble::CosignerWrong,
    }
}

/// Moves every box on that something can be done for. One that fails stops no other.
///
/// # Errors
/// When the database does not answer at all.
pub async fn advance_all(application: &Application) -> Result<(), Fault> {
    use ballot_boxes::Column;
    let waiting = Condition::any()
        .add(Column::State.is_in([
            BoxState::Signed,
            BoxState::Issuing,
            BoxState::Casting,
            BoxState::Closed,
            BoxState::Counted,
            BoxState::Published,
        ]))
        // Somebody asked for it, and it could not be done.
        .add(Column::State.eq(BoxState::Draft).and(Column::Trouble.is_not_null()))
        .add(Column::State.is_in([BoxState::Cancelled, BoxState::TooFew]).and(Column::HandedOver.eq(false)))
        .add(Column::State.eq(BoxState::TooFew).and(Column::PublishedOn.is_not_null()));
    let boxes: Vec<(BallotBoxId, SealedSurveyId)> = ballot_boxes::Entity::find()
        .select_only()
        .column(Column::Sid)
        .column(Column::SurveyId)
        .filter(waiting)
        .order_by_asc(Column::Sid)
        .into_tuple()
        .all(application.store.reader())
        .await?;
    // Every box as far as its signed log, then one post for all, and only then is anything counted.
    let (mut told, mut going) = (BTreeSet::new(), Vec::new());
    for (sid, survey) in boxes {
        match go(application, sid, Steps::UntilSigned).await {
            Ok(Some(state)) => {
                going.push(sid);
                if state.is_open() || state == BoxState::Closed {
                    told.insert(survey);
                }
            }
            // It waits for its co-signer until the next turn.
            Ok(None) => {}
            Err(error) => tracing::error!(%sid, %error, "a ballot box could not be moved on"),
        }
    }
    for survey in told {
        if let Err(error) = post_fingerprints(&application.store, survey, application.surveys_link()).await {
            tracing::error!(%survey, %error, "fingerprints could not be posted");
        }
    }
    for sid in going {
        if let Err(error) = advance(application, sid).await {
            tracing::error!(%sid, %error, "a ballot box could not be moved on");
        }
    }
    Ok(())
}

/// How far a box is moved on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Steps {
    UntilSigned,
    All,
}

/// Moves one box on as far as it goes now.
///
/// # Errors
/// When the database does not answer. What the co-signer does is written down as the box's trouble.
pub async fn advance(application: &Application, sid: BallotBoxId) -> Result<(), Fault> {
    let row = find_box(&application.store, sid).await?;
    if row.state == BoxState::Draft {
        if row.trouble.is_some() {
            match Box::pin(prepare_box(application, sid)).await {
                // Its days are over, or the roll has shrunk: people were told when they asked for it.
                Ok(_) | Err(Fault::Refused(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        return Ok(());
    }
    go(application, sid, Steps::All).await?;
    Ok(())
}

/// The state after these steps; none when the box waits for its co-signer.
async fn go(application: &Application, sid: BallotBoxId, steps: Steps) -> Result<Option<BoxState>, Fault> {
    let done =
        if steps == Steps::All { all_steps(application, sid).await } else { until_signed(application, sid).await };
    let row = find_box(&application.store, sid).await?;
    match done {
        Ok(()) => {
            // A count that does not agree stays a trouble until people have looked.
            let is_over = row.trouble.is_some_and(|trouble| trouble != Trouble::CountWrong);
            if steps == Steps::All && is_over {
                note_trouble(&application.store, sid, None).await?;
            }
            Ok(Some(row.state))
        }
        Err(Halt::Fault(fault)) => Err(fault),
        Err(Halt::Trouble(trouble)) => {
            note_trouble(&application.store, sid, Some(trouble)).await?;
            Ok(Some(row.state))
        }
        Err(Halt::Cosigner(fault)) => {
            tracing::warn!(%sid, error = %fault, "a ballot box waits for its co-signer");
            note_trouble(&application.store, sid, Some(trouble_of(&fault))).await?;
            Ok(None)
        }
    }
}

/// What the clock does to a box until it is shut, and the quorum's signatures under all of it.
async fn until_signed(application: &Application, sid: BallotBoxId) -> Result<(), Halt> {
    let (store, link) = (&application.store, application.surveys_link());
    let state = async || find_box(store, sid).await.map(|row| row.state);
    if state().await?.is_open() {
        let longest = TimeDelta::minutes(application.config.ballots.batch_minutes.into());
        end_issuing(store, sid).await?;
        flush(store, sid, longest).await?;
        remind(store, sid, link).await?;
        close(store, sid).await?;
    }
    if matches!(state().await?, BoxState::Signed | BoxState::Issuing | BoxState::Casting | BoxState::Closed) {
        sign_log(application, sid).await?;
    }
    Ok(())
}

async fn all_steps(application: &Application, sid: BallotBoxId) -> Result<(), Halt> {
    until_signed(application, sid).await?;
    let store = &application.store;
    let state = async || find_box(store, sid).await.map(|row| row.state);
    if state().await? == BoxState::Closed {
        count(application, sid).await?;
    }
    if state().await? == BoxState::Counted {
        sign_log(application, sid).await?;
        publish(store, sid).await?;
    }
    if matches!(state().await?, BoxState::Published | BoxState::TooFew) {
        wipe(store, sid).await?;
    }
    if matches!(state().await?, BoxState::Cancelled | BoxState::TooFew) {
        end(application, sid).await?;
    }
    Ok(())
}

/// Has the quorum sign what it has not signed yet.
async fn sign_log(application: &Application, sid: BallotBoxId) -> Result<(), Halt> {
    let Some(extension) = extension(&application.store, sid).await? else { return Ok(()) };
    let pinned = application.quorum.pinned().await?;
    let note = application.quorum.client.quorum_note(sid, &extension, &pinned).await?;
    record_checkpoint(&application.store, sid, extension.checkpoint, note).await?;
    Ok(())
}

/// Hands the closed box over, once, and asks for the count until people have counted.
async fn count(application: &Application, sid: BallotBoxId) -> Result<(), Halt> {
    let (store, client) = (&application.store, &application.quorum.client);
    let row = find_box(store, sid).await?;
    if row.trouble == Some(Trouble::CountWrong) {
        return Ok(());
    }
    if !row.handed_over {
        if is_unaccounted(&row)? {
            return Err(Halt::Trouble(Trouble::SlipsUnaccounted));
        }
        let mut last = None;
        loop {
            let part = envelopes_after(store, sid, last, ENVELOPES_PER_REQUEST).await?;
            let Some((hash, _)) = part.last() else { break };
            last = Some(*hash);
            let envelopes: Vec<_> = part.into_iter().map(|(_, envelope)| envelope).collect();
            client.put_envelopes(sid, &envelopes).await?;
        }
        client.close(sid, &hand_over(store, sid).await?).await?;
        handed_over(store, sid).await?;
    }
    match client.count(sid).await? {
        Counted::Yes(answer) => take_count(store, sid, application.quorum.pinned_lines().await?, *answer).await?,
        Counted::NotYet => {}
        Counted::TooFew => find_too_few(store, sid).await?,
    }
    Ok(())
}

/// Tells the others of a box that ended without a count, and ends its log.
async fn end(application: &Application, sid: BallotBoxId) -> Result<(), Halt> {
    let row = find_box(&application.store, sid).await?;
    if row.handed_over {
        return Ok(());
    }
    if row.state == BoxState::Cancelled {
        application.quorum.client.cancel(sid).await?;
    }
    match sign_log(application, sid).await {
        // The others saw less of the log than we wrote before it ended: it ends with what they have signed.
        Ok(()) | Err(Halt::Cosigner(CosignerFault::Refused { .. } | CosignerFault::Forked)) => {}
        Err(halt) => return Err(halt),
    }
    handed_over(&application.store, sid).await?;
    Ok(())
}

/// Looks every minute, or as configured, until it is told to stop. Of several processes one does it.
pub async fn keep_going(application: web::Data<Application>, stop: CancellationToken) {
    let holder = hex::encode(application.store.randomness().bytes::<8>());
    let look = Duration::from_secs(Ord::max(application.config.ballots.look_seconds, 1));
    loop {
        match application.cache.lease(LEASE, &holder, look * 2).await {
            Ok(true) => {
                if let Err(error) = advance_all(&application).await {
                    tracing::error!(%error, "anonymous surveys could not be looked after");
                }
            }
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "no lease for the anonymous surveys"),
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(look) => {}
        }
    }
    let _ = application.cache.release(LEASE, &holder).await;
}
