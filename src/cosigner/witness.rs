//! The witness (C2SP tlog-witness): signs that it has seen the log grow, never otherwise.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use qingfeng_core::sealed_surveys::service::Extension;
use reqwest::StatusCode;

use super::{CosignerClient, CosignerFault};

impl CosignerClient {
    /// The note with the witness's line.
    pub(super) async fn witnessed(&self, note: String, extension: &Extension) -> Result<String, CosignerFault> {
        let signed = match self.add_checkpoint(&note, extension, extension.before).await? {
            Ok(lines) => lines,
            // It has seen more than we remember (we stopped between its signature and our writing it down), or less.
            Err(size) if size <= extension.checkpoint.size => {
                match self.add_checkpoint(&note, extension, size).await? {
                    Ok(lines) => lines,
                    Err(_) => return Err(CosignerFault::Forked),
                }
            }
            Err(_) => return Err(CosignerFault::Forked),
        };
        Ok(format!("{note}{signed}"))
    }

    /// Its signature lines, or the size that it has seen.
    async fn add_checkpoint(
        &self,
        note: &str,
        extension: &Extension,
        old: u64,
    ) -> Result<Result<String, u64>, CosignerFault> {
        let mut body = format!("old {old}\n");
        if 0 < old && old < extension.checkpoint.size {
            for hash in extension.consistency(old) {
                body.push_str(&BASE64_STANDARD.encode(hash.0));
                body.push('\n');
            }
        }
        body.push('\n');
        body.push_str(note);
        let down = |error: reqwest::Error| CosignerFault::Down(error.without_url().to_string());
        let response =
            self.http.post(format!("{}/add-checkpoint", self.witness)).body(body).send().await.map_err(down)?;
        let status = response.status();
        let text = response.text().await.map_err(down)?;
        match status {
            StatusCode::OK if text.ends_with('\n') => Ok(Ok(text)),
            StatusCode::OK => Err(CosignerFault::Wrong("a witness's signature that is cut off".into())),
            StatusCode::CONFLICT => match text.trim().parse() {
                Ok(size) => Ok(Err(size)),
                Err(_) => Err(CosignerFault::Wrong("a witness that does not say what it has seen".into())),
            },
            // The proof does not hold: what it has seen is no prefix of what we show.
            StatusCode::UNPROCESSABLE_ENTITY => Err(CosignerFault::Forked),
            status if status.is_server_error() => Err(CosignerFault::Down(status.to_string())),
            status => Err(CosignerFault::Refused { code: format!("witness_{}", status.as_u16()), body: text.into() }),
        }
    }
}
