//! The wire to co-signer and witness. Everything that can go wrong on it is a value: nobody's survey is lost because another
//! machine is switched off.

mod operator;
mod witness;

use std::time::Duration;

use qingfeng_ballots::{
    Hex,
    envelope::ENVELOPE_LENGTH,
    log::{Checkpoint, Note, Pinned, Signer, checkpoint_text},
    manifest::Manifest,
};
use qingfeng_core::{
    ids::{OrganizationId, ResidentId},
    people::RosterGroup,
    sealed_surveys::{
        BallotBoxId,
        service::{CountAnswer, Enrolled, Extension, HandOver, Proposal},
    },
};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

pub use operator::{LogSigner, SIGNATURE, is_request_of};

/// Longer than any answer takes: the box key is made in between.
const PATIENCE: Duration = Duration::from_secs(30);
/// Somebody may be waiting for a page.
const PATIENCE_FOR_KEYS: Duration = Duration::from_secs(3);
/// Envelopes of one request.
pub const ENVELOPES_PER_REQUEST: u64 = 500;

/// Why the other side did not do it.
#[derive(Debug, thiserror::Error)]
pub enum CosignerFault {
    /// It does not answer, or is out of order itself. Trying later may work.
    #[error("the co-signer or witness does not answer: {0}")]
    Down(String),
    /// It says no.
    #[error("the co-signer or witness refuses: {code}")]
    Refused { code: String, body: Value },
    /// It holds another log.
    #[error("the co-signer or witness holds another log")]
    Forked,
    /// It answers what cannot be right.
    #[error("the co-signer or witness answers wrongly: {0}")]
    Wrong(String),
}

/// The co-signer's half of a manifest.
#[derive(Debug, Deserialize)]
pub struct Agreed {
    pub b: Hex<256>,
    #[serde(rename = "box")]
    pub box_recipient: String,
}

/// What the co-signer says of the count.
#[derive(Debug)]
pub enum Counted {
    Yes(Box<CountAnswer>),
    NotYet,
    TooFew,
}

#[derive(Deserialize)]
struct RollEntry {
    resident: ResidentId,
    commitment: Option<Hex<32>>,
    device: Option<Hex<32>>,
}

#[derive(Serialize)]
struct CheckpointRequest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<&'a Manifest>,
    leaves: &'a [String],
    size_before: u64,
    note: String,
}

#[derive(Deserialize)]
struct CheckpointAnswer {
    note: String,
}

/// Co-signer and witness, as the platform talks to them.
#[derive(Debug)]
pub struct CosignerClient {
    http: reqwest::Client,
    cosigner: String,
    witness: String,
    signer: LogSigner,
}

impl CosignerClient {
    /// # Errors
    /// When an address is neither https nor on this machine.
    pub fn new(cosigner: &str, witness: &str, signer: LogSigner) -> anyhow::Result<Self> {
        for address in [cosigner, witness] {
            let url = url::Url::parse(address)?;
            let local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
            anyhow::ensure!(url.scheme() == "https" || local, "ballots: {address} must be https");
        }
        let http = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build()?;
        let trimmed = |address: &str| address.trim_end_matches('/').to_owned();
        Ok(Self { http, cosigner: trimmed(cosigner), witness: trimmed(witness), signer })
    }

    #[must_use]
    pub fn signer(&self) -> &LogSigner {
        &self.signer
    }

    /// Lines `cosigner KEY` and `witness KEY` as both show them themselves. To be pinned, not to be asked anew.
    ///
    /// # Errors
    /// When it does not answer, or names no key.
    pub async fn keys_shown(&self) -> Result<Vec<String>, CosignerFault> {
        #[derive(Deserialize)]
        struct Site {
            vkeys: Vec<String>,
        }
        let site: Site = json_of(&self.look(&format!("{}/api/site", self.cosigner)).await?)?;
        let witness = String::from_utf8(self.look(&format!("{}/v1/keys", self.witness)).await?)
            .map_err(|error| CosignerFault::Wrong(error.to_string()))?;
        let shown = site.vkeys.iter().map(String::as_str).filter(|line| line.starts_with("cosigner "));
        Ok(shown.chain(witness.lines().filter(|line| line.starts_with("witness "))).map(str::to_owned).collect())
    }

    async fn look(&self, address: &str) -> Result<Vec<u8>, CosignerFault> {
        let down = |error: reqwest::Error| CosignerFault::Down(error.without_url().to_string());
        let answer = self.http.get(address).timeout(PATIENCE_FOR_KEYS).send().await;
        let answer = answer.and_then(reqwest::Response::error_for_status).map_err(down)?;
        Ok(answer.bytes().await.map_err(down)?.to_vec())
    }

    /// Who of a village stands on the co-signer's roll, with the enrolled phones.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn roll(&self, village: OrganizationId) -> Result<Vec<Enrolled>, CosignerFault> {
        let entries: Vec<RollEntry> =
            json_of(&self.ask(Method::GET, &format!("/v1/roll?village={village}"), Vec::new(), "").await?)?;
        // Without a card there is nothing to enrol.
        let enrolled = entries.into_iter().filter_map(|entry| {
            Some(Enrolled { resident: entry.resident, commitment: entry.commitment?, device: entry.device })
        });
        let mut enrolled: Vec<_> = enrolled.collect();
        // Who is in two classes stands there twice.
        enrolled.sort_unstable_by_key(|person| person.resident);
        enrolled.dedup_by_key(|person| person.resident);
        Ok(enrolled)
    }

    /// Proposes a survey.
    ///
    /// # Errors
    /// `roll_mismatch` with the residents that differ, among others.
    pub async fn agree(
        &self,
        proposal: &Proposal,
        villages: &[OrganizationId],
        class: RosterGroup,
    ) -> Result<Agreed, CosignerFault> {
        let unit = json!({"villages": villages, "class": class, "rated": proposal.rated});
        let body = json!({"draft": proposal.draft, "roll": proposal.roll, "unit": unit});
        json_of(&self.post("/v1/surveys", &body).await?)
    }

    /// Has a note signed by the whole quorum: ourselves, the co-signer, the witness.
    ///
    /// # Errors
    /// [`CosignerFault::Forked`] when one of them holds another log.
    pub async fn quorum_note(
        &self,
        sid: BallotBoxId,
        extension: &Extension,
        pinned: &Pinned,
    ) -> Result<String, CosignerFault> {
        let Extension { manifest, before, leaves, checkpoint, .. } = extension;
        let request = CheckpointRequest {
            manifest: (*before == 0).then_some(manifest),
            leaves,
            size_before: *before,
            note: self.own_note(&manifest.origin, checkpoint)?,
        };
        let request = serde_json::to_value(&request).map_err(|error| CosignerFault::Wrong(error.to_string()))?;
        let answer = self.post(&format!("/v1/surveys/{sid}/checkpoints"), &request).await.map_err(forked)?;
        let CheckpointAnswer { note } = json_of(&answer)?;
        let note = self.witnessed(note, extension).await?;
        match pinned.read(note.as_bytes(), &manifest.origin) {
            Ok(signed) if signed == *checkpoint => Ok(note),
            Ok(_) => Err(CosignerFault::Wrong("a note over another checkpoint".into())),
            Err(error) => Err(CosignerFault::Wrong(error.to_string())),
        }
    }

    fn own_note(&self, origin: &str, checkpoint: &Checkpoint) -> Result<String, CosignerFault> {
        let unusable = |error: &dyn std::fmt::Display| CosignerFault::Wrong(error.to_string());
        let text = checkpoint_text(origin, checkpoint).map_err(|error| unusable(&error))?;
        let mut note = Note::new(&text, &[]).map_err(|error| unusable(&error))?;
        note.add_sigs(&[self.signer.notes() as &dyn Signer]).map_err(|error| unusable(&error))?;
        String::from_utf8(note.to_bytes()).map_err(|error| unusable(&error))
    }

    /// Tells the co-signer that the register says paper.
    ///
    /// # Errors
    /// `already_issued` when it has signed for the person.
    pub async fn register_paper(&self, sid: BallotBoxId, resident: ResidentId) -> Result<(), CosignerFault> {
        self.post(&format!("/v1/surveys/{sid}/channel"), &json!({"resident": resident, "channel": "paper"})).await?;
        Ok(())
    }

    /// Hands over envelopes of a closed box.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn put_envelopes(
        &self,
        sid: BallotBoxId,
        envelopes: &[Hex<ENVELOPE_LENGTH>],
    ) -> Result<(), CosignerFault> {
        let body: Vec<u8> = envelopes.iter().flat_map(|envelope| envelope.0).collect();
        self.ask(Method::PUT, &format!("/v1/surveys/{sid}/envelopes"), body, "application/octet-stream").await?;
        Ok(())
    }

    /// Says that the box is closed. From now on the co-signer signs for nobody.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn close(&self, sid: BallotBoxId, hand_over: &HandOver) -> Result<(), CosignerFault> {
        let HandOver { issued_a, voided, note } = hand_over;
        let body = json!({"issued_a": issued_a, "note": note, "voided": voided});
        self.post(&format!("/v1/surveys/{sid}/close"), &body).await.map_err(forked)?;
        Ok(())
    }

    /// Asks for the count.
    ///
    /// # Errors
    /// When it does not answer or refuses for another reason than that people have not counted, or too few have voted.
    pub async fn count(&self, sid: BallotBoxId) -> Result<Counted, CosignerFault> {
        match self.ask(Method::GET, &format!("/v1/surveys/{sid}/count"), Vec::new(), "").await {
            Ok(body) => Ok(Counted::Yes(Box::new(json_of(&body)?))),
            Err(CosignerFault::Refused { code, .. }) if code == "not_counted" => Ok(Counted::NotYet),
            Err(CosignerFault::Refused { code, .. }) if code == "too_few" => Ok(Counted::TooFew),
            Err(fault) => Err(fault),
        }
    }

    /// Says that the survey is cancelled. One that the co-signer never heard of is cancelled already.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn cancel(&self, sid: BallotBoxId) -> Result<(), CosignerFault> {
        match self.post(&format!("/v1/surveys/{sid}/cancel"), &json!({})).await {
            Err(CosignerFault::Refused { code, .. }) if code == "unknown_survey" => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Vec<u8>, CosignerFault> {
        let body = serde_json::to_vec(body).map_err(|error| CosignerFault::Wrong(error.to_string()))?;
        self.ask(Method::POST, path, body, "application/json").await
    }

    async fn ask(&self, method: Method, path: &str, body: Vec<u8>, kind: &str) -> Result<Vec<u8>, CosignerFault> {
        let signature = self.signer.sign_request(method.as_str(), path, &body);
        let mut request =
            self.http.request(method, format!("{}{path}", self.cosigner)).header(SIGNATURE, signature.to_string());
        if !kind.is_empty() {
            request = request.header(reqwest::header::CONTENT_TYPE, kind).body(body);
        }
        let down = |error: reqwest::Error| CosignerFault::Down(error.without_url().to_string());
        let response = request.send().await.map_err(down)?;
        let status = response.status();
        let body = response.bytes().await.map_err(down)?.to_vec();
        if status.is_success() {
            return Ok(body);
        }
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(CosignerFault::Down(status.to_string()));
        }
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let code = body["code"].as_str().unwrap_or(status.as_str()).to_owned();
        Err(CosignerFault::Refused { code, body })
    }
}

fn forked(fault: CosignerFault) -> CosignerFault {
    match fault {
        CosignerFault::Refused { code, .. } if code == "log_forked" => CosignerFault::Forked,
        fault => fault,
    }
}

fn json_of<T: DeserializeOwned>(body: &[u8]) -> Result<T, CosignerFault> {
    serde_json::from_slice(body).map_err(|error| CosignerFault::Wrong(error.to_string()))
}
