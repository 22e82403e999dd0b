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
    /// Residents whom the two rolls do not name alike. Said, not kept.
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
        let differing = prepare_box(application, row.sid).await?;
        let row = find_box(&application.store, row.sid).await?;
        prepared.push(PreparedBox { sid: row.sid, state: row.state, trouble: row.trouble, differing });
    }
    Ok(prepared)
}

/// Prepares one box as far as it goes; returns whom the two rolls do not name alike.
pub(super) async fn prepare_box(application: &Application, sid: BallotBoxId) -> Result<Vec<ResidentId>, Fault> {
    let row = find_box(&application.store, sid).await?;
    if row.state != BoxState::Draft {
        advance(application, sid).await?;
        return Ok(Vec::new());
    }
    match agree(application, &row).await {
        Ok(()) => {
            advance(application, sid).await?;
            Ok(Vec::new())
        }
        Err(Failed::Fault(fault)) => Err(fault),
        Err(Failed::Mismatch(differing)) => {
            note_trouble(&application.store, sid, Some(Trouble::RollMismatch)).await?;
            Ok(differing)
        }
        Err(Failed::Cosigner(fault)) => {
            tracing::warn!(%sid, error = %fault, "a ballot box could not be prepared");
            note_trouble(&application.store, sid, Some(trouble_of(&fault))).await?;
            Ok(Vec::new())
        }
    }
}

enum Failed {
    Fault(Fault),
    Cosigner(CosignerFault),
    Mismatch(Vec<ResidentId>),
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
                let residents = serde_json::from_value(body["residents"].clone()).unwrap_or_default();
                Self::Mismatch(residents)
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
        Drawn::Unknown(residents) => return Err(Failed::Mismatch(residents)),
        Drawn::Done => return Ok(()),
    };
    let villages: Vec<_> = villages.into_iter().collect();
    let agreed = quorum.client.agree(&proposal, &villages, row.class).await?;
    let manifest =
        proposal.manifest(agreed.b, agreed.box_recipient).map_err(|error| CosignerFault::Wrong(error.to_string()))?;
    Ok(sign_manifest(store, row.sid, manifest).await?)
}
