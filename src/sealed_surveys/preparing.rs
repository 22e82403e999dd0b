use std::collections::BTreeSet;

use qingfeng_core::{
    ids::ResidentId,
    people::{
        Actor,
        authorization::{Action, may},
    },
    refusal::Fault,
    sealed_surveys::{
        BallotBoxId, BoxState, Trouble,
        entity::ballot_boxes,
        queries::Listed,
        service::{Drawn, draw_up, find_box, note_trouble, remember_devices, sign_manifest, subject_of, villages_of},
    },
};

use super::life::{advance, trouble_of};
use crate::{Application, cosigner::CosignerFault};

/// How far a box came.
#[derive(Debug)]
pub struct PreparedBox {
    pub sid: BallotBoxId,
    pub state: BoxState,
    pub trouble: Option<Trouble>,
    pub mismatch: Mismatch,
}

/// Residents for whom a box waits. Said, not kept.
#[derive(Debug, Default)]
pub struct Mismatch {
    /// They are not on the co-signer's roll, or their card is not printed yet.
    pub without_card: Vec<ResidentId>,
    /// The two rolls do not name them alike.
    pub differing: Vec<ResidentId>,
}

/// Prepares every box of a survey: roll, keys, the co-signer's half, the quorum's signatures. May be repeated; what is done is
/// done, and what could not be done is tried again.
///
/// # Errors
/// When the actor may not, or the database does not answer. A co-signer that does not answer is a trouble of the box.
pub async fn prepare(application: &Application, actor: &Actor, survey: &Listed) -> Result<Vec<PreparedBox>, Fault> {
    for (row, _) in &survey.boxes {
        may(actor, Action::ManageSealedSurvey, &subject_of(row))?;
    }
    let mut prepared = Vec::new();
    for (row, _) in &survey.boxes {
        let mismatch = prepare_box(application, row.sid).await?;
        let row = find_box(&application.store, row.sid).await?;
        prepared.push(PreparedBox { sid: row.sid, state: row.state, trouble: row.trouble, mismatch });
    }
    Ok(prepared)
}

/// Prepares one box as far as it goes; returns for whom it waits.
pub(super) async fn prepare_box(application: &Application, sid: BallotBoxId) -> Result<Mismatch, Fault> {
    let row = find_box(&application.store, sid).await?;
    if row.state != BoxState::Draft {
        advance(application, sid).await?;
        return Ok(Mismatch::default());
    }
    match agree(application, &row).await {
        Ok(()) => {
            advance(application, sid).await?;
            Ok(Mismatch::default())
        }
        Err(Failed::Fault(fault)) => Err(fault),
        Err(Failed::Mismatch(mismatch)) => {
            note_trouble(&application.store, sid, Some(Trouble::RollMismatch)).await?;
            Ok(mismatch)
        }
        Err(Failed::Cosigner(fault)) => {
            tracing::warn!(%sid, error = %fault, "a ballot box could not be prepared");
            note_trouble(&application.store, sid, Some(trouble_of(&fault))).await?;
            Ok(Mismatch::default())
        }
    }
}

enum Failed {
    Fault(Fault),
    Cosigner(CosignerFault),
    Mismatch(Mismatch),
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<CosignerFault> for Failed {
    fn from(fault: CosignerFault) -> Self {
        match fault {
            CosignerFault::Refused { code, body } if code == "roll_mismatch" => {
                let differing = serde_json::from_value(body["residents"].clone()).unwrap_or_default();
                Self::Mismatch(Mismatch { differing, ..Mismatch::default() })
            }
            fault => Self::Cosigner(fault),
        }
    }
}

async fn agree(application: &Application, row: &ballot_boxes::Model) -> Result<(), Failed> {
    let (store, quorum) = (&application.store, &application.quorum);
    let terms = quorum.terms().await?;
    let villages: BTreeSet<_> = villages_of(row)?.into_iter().collect();
    for village in &villages {
        remember_devices(store, row.county_id, quorum.client.roll(*village).await?).await?;
    }
    let proposal = match draw_up(store, &application.sealer, row.sid, terms).await? {
        Drawn::Ready(proposal) => proposal,
        Drawn::Unknown(without_card) => {
            return Err(Failed::Mismatch(Mismatch { without_card, ..Mismatch::default() }));
        }
        Drawn::Done => return Ok(()),
    };
    let villages: Vec<_> = villages.into_iter().collect();
    let agreed = quorum.client.agree(&proposal, &villages, row.class).await?;
    let manifest =
        proposal.manifest(agreed.b, agreed.box_recipient).map_err(|error| CosignerFault::Wrong(error.to_string()))?;
    Ok(sign_manifest(store, row.sid, manifest).await?)
}
