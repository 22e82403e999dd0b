//! The platform's half of the paper batch, asked for with the co-signer's signature.

use std::time::Duration;

use qingfeng_ballots::{Hex, canonical::canonical, close::Slips, messages::SurveyId, voter::Request};
use serde::{Deserialize, Serialize};

use crate::{
    fault::{Fault, Refusal},
    http::SIGNATURE_HEADER,
    keys::LogSigner,
};

/// Blinded ballot keys and tags of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    pub sid: SurveyId,
    pub a: Vec<Hex<256>>,
    pub d: Vec<Hex<256>>,
}

/// The platform's blind signatures, in the same order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signatures {
    pub sa: Vec<Hex<256>>,
    pub sd: Vec<Hex<256>>,
}

impl Wanted {
    pub(super) fn of(sid: SurveyId, requests: &[Request]) -> Result<Self, Fault> {
        let (mut a, mut d) = (Vec::new(), Vec::new());
        for request in requests {
            let (blinded_key, blinded_tag) = request.for_platform();
            a.push(Hex::try_from(blinded_key).map_err(Fault::unavailable)?);
            d.push(Hex::try_from(blinded_tag).map_err(Fault::unavailable)?);
        }
        Ok(Self { sid, a, d })
    }
}

/// Speaks with the platform.
#[derive(Debug)]
pub struct PlatformPaper {
    address: String,
    client: reqwest::Client,
}

impl PlatformPaper {
    /// # Errors
    /// When no client can be made.
    pub fn at(address: &str) -> Result<Self, Fault> {
        let client = reqwest::Client::builder()
            // Signing a whole village's slips takes a while.
            .timeout(Duration::from_secs(120))
            .build()
            .map_err(Fault::unavailable)?;
        Ok(Self { address: address.trim_end_matches('/').to_owned(), client })
    }

    pub(super) async fn sign(&self, signer: &LogSigner, wanted: &Wanted) -> Result<Signatures, Fault> {
        let body = serde_json::to_vec(wanted).map_err(Fault::unavailable)?;
        let answer = self.send(signer, reqwest::Method::POST, "/api/cosigner/paper", "application/json", body).await?;
        answer.json().await.map_err(Fault::unavailable)
    }

    pub(super) async fn publish(&self, signer: &LogSigner, sid: &SurveyId, slips: &Slips) -> Result<(), Fault> {
        // The file `paper.json` of the bundle, as it is.
        let path = format!("/api/cosigner/paper/{sid}");
        self.send(signer, reqwest::Method::PUT, &path, "application/json", canonical(slips)).await.map(|_| ())
    }

    async fn send(
        &self,
        signer: &LogSigner,
        method: reqwest::Method,
        path: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> Result<reqwest::Response, Fault> {
        let signature = signer.sign_request(method.as_str(), path, &body);
        let answer = self
            .client
            .request(method, format!("{}{path}", self.address))
            .header(SIGNATURE_HEADER, signature)
            .header("Content-Type", kind)
            .body(body)
            .send()
            .await
            .map_err(Fault::unavailable)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let problem: serde_json::Value = answer.json().await.unwrap_or_default();
        let said = problem["detail"].as_str().unwrap_or("没有说明").to_owned();
        Err(Refusal::conflict("platform_refused", format!("平台没有同意（{}）：{said}", status.as_u16())).into())
    }
}
