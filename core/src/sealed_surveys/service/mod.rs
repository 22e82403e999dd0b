//! Doing: every step of a box's life as one transaction. The network between them is the program's, not ours; each step may
//! be repeated, and a step that was done does nothing.

mod cancelling;
mod casting;
mod closing;
mod counting;
mod creating;
mod electors;
mod fingerprints;
mod issuing;
mod keys;
mod log_keeping;
mod notices;
mod opening;
mod paper;
mod preparing;
mod topics;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};

pub(super) use log_keeping::{lines, signed_notes};

pub use cancelling::{Ended, NoCount, cancel};
pub use casting::{Thrown, throw_in};
pub use closing::{HandOver, close, end_issuing, envelopes_after, hand_over, handed_over};
pub use counting::{CountAnswer, find_too_few, publish, take_count, wipe};
pub use creating::{NewSealedSurvey, class_label, create};
pub use fingerprints::post_fingerprints;
pub use issuing::{CredentialRequest, Signed, issue};
pub use log_keeping::{Extension, extension, flush, record_checkpoint};
pub use opening::{may_be_opened, may_be_prepared, open, remind};
pub use paper::{
    SlipAccount, SlipReport, check_may_register, is_unaccounted, keep_slips, register_paper, settle_slips, sign_slips,
    unregister_paper,
};
pub use preparing::{
    Draft, DraftKeys, Drawn, Enrolled, Proposal, RollLine, Terms, draw_up, remember_devices, sign_manifest, villages_of,
};

use super::{Act, BallotBoxId, BoxState, SealedSurveyRefusal, Trouble, entity::ballot_boxes};
use crate::{
    ids::CountyId,
    people::{Actor, authorization::Subject},
    refusal::{Fault, Refusal},
    storage::{Command, Store, UnitOfWork},
};

/// What the decision about a box needs to know of it. Who is rated is kept out.
#[must_use]
pub fn subject_of(row: &ballot_boxes::Model) -> Subject {
    Subject {
        county: Some(row.county_id),
        township: Some(row.township_id),
        concerns_staff: row.evaluatee_staff_id.into_iter().collect(),
        concerns_organizations: row.evaluatee_organization_id.into_iter().collect(),
        ..Subject::default()
    }
}

/// A box by its name.
///
/// # Errors
/// When there is none.
pub async fn find_box(store: &Store, sid: BallotBoxId) -> Result<ballot_boxes::Model, Fault> {
    let found = ballot_boxes::Entity::find_by_id(sid).one(store.reader()).await?;
    Ok(found.ok_or_else(Refusal::not_found)?)
}

async fn lock(unit: &UnitOfWork, sid: BallotBoxId) -> Result<ballot_boxes::Model, Fault> {
    let found = ballot_boxes::Entity::find_by_id(sid).lock_exclusive().one(unit.connection()).await?;
    Ok(found.ok_or_else(Refusal::not_found)?)
}

/// Moves a locked box on. A trouble that it had is over.
async fn move_on(unit: &UnitOfWork, row: &ballot_boxes::Model, act: Act) -> Result<BoxState, Fault> {
    let next = row.state.after(act).ok_or_else(|| Fault::refused(SealedSurveyRefusal::WrongState))?;
    ballot_boxes::Entity::update_many()
        .col_expr(ballot_boxes::Column::State, Expr::value(next))
        .col_expr(ballot_boxes::Column::Trouble, Expr::value(Option::<Trouble>::None))
        .filter(ballot_boxes::Column::Sid.eq(row.sid))
        .exec(unit.connection())
        .await?;
    Ok(next)
}

/// Writes down what keeps a box from going on, or that nothing does any more.
///
/// # Errors
/// When the database does not answer.
pub async fn note_trouble(store: &Store, sid: BallotBoxId, trouble: Option<Trouble>) -> Result<(), Fault> {
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                ballot_boxes::Entity::update_many()
                    .col_expr(ballot_boxes::Column::Trouble, Expr::value(trouble))
                    .filter(ballot_boxes::Column::Sid.eq(sid))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await
}

/// An act of the clock.
fn by_the_clock(county: CountyId) -> Command {
    Command::by(&Actor::System { county })
}
