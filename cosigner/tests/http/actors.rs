//! Residents with their phones, and a survey as the platform sees it.

use std::collections::BTreeMap;

use ed25519_dalek::{Signer as _, SigningKey};
use qingfeng_ballots::{
    Hex,
    answers::Answers,
    bundle::Bundle,
    close::Slips,
    closing::Closing,
    codes::Code,
    count::Count,
    log::Leaf,
    manifest::{Keys, Manifest},
    messages::{self, SurveyId, audit_commitment, roll_leaf},
    outer::Outer,
    randomness::random_bytes,
    voter::{Credential, Request},
};
use qingfeng_cosigner::{
    randomness::SystemRandomness,
    surveys::{Counted, Proposal},
};
use serde_json::{Value, json};
use uuid::Uuid;

pub struct Village {
    pub id: Uuid,
    pub people: Vec<Resident>,
}

pub struct Resident {
    pub id: Uuid,
    pub code: Code,
    pub phone: Option<Phone>,
}

impl Resident {
    pub fn leaf(&self, sid: &SurveyId) -> Hex<32> {
        roll_leaf(sid, &audit_commitment(&self.code.card_secret()))
    }

    pub fn phone(&self) -> &Phone {
        self.phone.as_ref().unwrap()
    }
}

pub struct Phone(SigningKey);

impl Phone {
    pub fn new() -> Self {
        Self(SigningKey::from_bytes(&random_bytes(&SystemRandomness).unwrap()))
    }

    pub fn key(&self) -> Hex<32> {
        Hex(self.0.verifying_key().to_bytes())
    }

    pub fn enrolment(&self, code: &Code) -> Value {
        let message = messages::enrolment(&code.hash(), &self.key());
        json!({ "code": *code.to_print(), "device": self.key(), "signature": Hex(self.0.sign(&message).to_bytes()) })
    }

    pub fn cosign(&self, sid: &SurveyId, blinded: &[u8]) -> Value {
        let message = messages::request(sid, &[blinded]);
        json!({
            "sid": sid,
            "device": self.key(),
            "b": hex::encode(blinded),
            "signature": Hex(self.0.sign(&message).to_bytes()),
        })
    }
}

/// A survey as the platform sees it.
#[derive(Clone)]
pub struct Running {
    pub sid: SurveyId,
    pub manifest: Manifest,
    pub keys: Keys,
    pub log: Vec<Vec<u8>>,
    /// The last note with the signatures gathered so far.
    pub note: String,
}

impl Running {
    pub fn new(proposal: Proposal, agreed: &Value) -> Self {
        let draft = serde_json::to_value(&proposal.draft).unwrap();
        let mut roll: Vec<_> = proposal.roll.iter().map(|place| place.leaf).collect();
        roll.sort_unstable();
        let mut manifest = draft;
        manifest["v"] = json!(1);
        manifest["roll"] = serde_json::to_value(roll).unwrap();
        manifest["keys"]["b"] = agreed["b"].clone();
        manifest["box"] = agreed["box"].clone();
        let manifest: Manifest = serde_json::from_value(manifest).unwrap();
        let keys = manifest.check().unwrap();
        Self { sid: manifest.sid, keys, manifest, log: Vec::new(), note: String::new() }
    }

    pub fn wish(&self) -> Request {
        Request::new(self.sid, &self.keys, &SystemRandomness).unwrap()
    }

    /// An answer, sealed.
    pub fn cast(&self, credential: &Credential, answer: u8) -> Outer {
        let ballot = credential.ballot(Answers(BTreeMap::from([("q1".into(), answer)])));
        self.throw(credential, &ballot.to_bytes(), 0)
    }

    /// Anything, sealed.
    pub fn throw(&self, credential: &Credential, content: &[u8], revision: u32) -> Outer {
        credential.outer(content, revision, self.manifest.box_recipient.parse().unwrap(), &SystemRandomness).unwrap()
    }
}

pub fn box_leaf(outer: &Outer) -> Leaf {
    Leaf::Box { tag: outer.tag, seq: outer.seq, h: outer.envelope_hash() }
}

/// The whole log as the platform publishes it.
pub fn published(survey: &Running, counted: &Counted, issued_a: &[Hex<32>]) -> Bundle {
    let mut issued_a = issued_a.to_vec();
    issued_a.sort_unstable();
    let Counted { ballots, junk, unopenable, withheld, issued_b, voided, .. } = counted.clone();
    Closing {
        manifest: survey.manifest.clone(),
        box_leaves: survey.log[1..].iter().map(|line| Leaf::parse(line).unwrap()).collect(),
        count: Count { ballots, junk, unopenable, withheld },
        issued_a,
        issued_b,
        voided,
        paper: Slips::default(),
    }
    .bundle()
}
