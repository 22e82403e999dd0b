//! A reporter's phone and an officer's browser, as far as sealed reports go.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use qingfeng_ballots::{
    codes::Code,
    reports::{ReportKey, seal},
};
use qingfeng_core::{
    ids::OrganizationId,
    people::{OrganizationKind, entity::organizations},
};
use qingfeng_cosigner::randomness::SystemRandomness;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Answer, Person, Township};

/// Whoever writes a report: nobody, with a code.
pub struct Reporter {
    pub code: Code,
    pub client: Person,
}

impl Reporter {
    pub fn at(client: &Person) -> Self {
        Self::with_code(client, Code::generate(&SystemRandomness).unwrap())
    }

    pub fn with_code(client: &Person, code: Code) -> Self {
        Self { code, client: client.clone() }
    }

    pub fn key(&self) -> ReportKey {
        ReportKey::of_code(&self.code)
    }

    pub fn reply_key(&self) -> String {
        self.key().recipient()
    }

    pub fn lookup(&self) -> String {
        self.code.report_lookup().to_string()
    }

    /// What the database holds of it.
    pub fn lookup_digest(&self) -> String {
        hex::encode(Sha256::digest(self.code.report_lookup().as_slice()))
    }

    /// What the phone sends.
    pub fn body(&self, office: OrganizationId, text: &str, keys: &[String]) -> Value {
        let content =
            json!({"v": 1, "named": false, "name": "", "contact": "", "text": text, "reply": self.reply_key()});
        json!({"office_id": office, "lookup": self.lookup(), "sealed": sealed(keys, &content.to_string())})
    }

    /// Asks for the office's keys, seals, sends.
    pub async fn report(&self, office: OrganizationId, text: &str) -> Answer {
        let offices = self.client.get(&format!("/api/townships/{office}/report-offices")).await.ok();
        let keys = offices["own"]["keys"].as_array().unwrap().iter();
        let keys: Vec<_> = keys.map(|key| key.as_str().unwrap().to_owned()).collect();
        self.client.post("/api/sealed-reports", self.body(office, text, &keys)).await
    }

    pub fn addition(&self, key: &str, text: &str) -> Value {
        json!({"lookup": self.lookup(), "sealed": sealed(&[key.to_owned()], text)})
    }

    pub async fn add(&self, key: &str, text: &str) -> Answer {
        self.client.post("/api/sealed-reports/additions", self.addition(key, text)).await
    }

    pub async fn followed(&self) -> Value {
        self.client.post("/api/sealed-reports/lookup", json!({"lookup": self.lookup()})).await.ok()
    }
}

/// Base 64 of an envelope for these keys.
pub fn sealed(keys: &[String], content: &str) -> String {
    let to: Vec<_> = keys.iter().map(|key| key.parse().unwrap()).collect();
    BASE64_STANDARD.encode(seal(&to, content.as_bytes(), &SystemRandomness).unwrap())
}

/// The envelope of a part.
pub fn envelope(part: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(part["sealed"].as_str().unwrap()).unwrap()
}

/// What stands in a part, to the holder of this key.
#[track_caller]
pub fn opened(key: &ReportKey, part: &Value) -> String {
    String::from_utf8(key.open(&envelope(part)).unwrap()).unwrap()
}

/// The officer makes a key for this office and publishes it.
pub async fn key_of(officer: &Person, office: OrganizationId) -> ReportKey {
    let key = ReportKey::generate();
    let body = json!({"office_id": office, "recipient": key.recipient()});
    officer.post("/api/sealed-reports/keys", body).await.ok();
    key
}

/// The county above a township.
pub async fn county_of(township: &Township<'_>) -> OrganizationId {
    organizations::Entity::find()
        .filter(organizations::Column::CountyId.eq(township.county))
        .filter(organizations::Column::Kind.eq(OrganizationKind::County))
        .one(township.server.application.store.reader())
        .await
        .unwrap()
        .unwrap()
        .id
}
