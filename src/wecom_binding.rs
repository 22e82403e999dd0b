//! The ticket with which a member of the corporation whose account is not known yet binds it at the next sign-in by password.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use qingfeng_core::{cache::Cache, people::SignInRefusal, randomness::Randomness, refusal::Fault, sealing::Sealer};
use sha2::{Digest, Sha256};

/// How long somebody has to type password and code after coming back from WeCom.
const TICKET_LASTS: Duration = Duration::from_secs(10 * 60);
/// What the member behind a ticket is sealed as: the cache knows nobody.
const MEMBER: &str = "WeCom member to be bound";

/// Makes a ticket for the browser that came back from WeCom as this member with this proof. It is good with the proof only:
/// sent to somebody else, it binds nothing.
///
/// # Errors
/// When the cache does not answer.
pub async fn issue(
    cache: &dyn Cache,
    sealer: &Sealer,
    randomness: &dyn Randomness,
    user_id: &str,
    proof: &str,
) -> Result<String, Fault> {
    let ticket = URL_SAFE_NO_PAD.encode(randomness.bytes::<24>());
    let sealed = sealer.seal(MEMBER, user_id.as_bytes(), randomness);
    cache.set(&key(&ticket, proof), &sealed, TICKET_LASTS).await?;
    Ok(ticket)
}

/// The member behind a ticket. It stays good until it is [spent](spend).
///
/// # Errors
/// [`SignInRefusal::WecomTicketExpired`] for one that is unknown, over, spent or another browser's; when the cache does not
/// answer.
pub async fn member(cache: &dyn Cache, sealer: &Sealer, ticket: &str, proof: &str) -> Result<String, Fault> {
    let expired = || Fault::refused(SignInRefusal::WecomTicketExpired);
    let sealed = cache.get(&key(ticket, proof)).await?.ok_or_else(expired)?;
    let user_id = sealer.open(MEMBER, &sealed).map_err(|_| expired())?;
    String::from_utf8(user_id).map_err(Fault::unavailable)
}

/// A ticket binds once.
///
/// # Errors
/// When the cache does not answer.
pub async fn spend(cache: &dyn Cache, ticket: &str, proof: &str) -> Result<(), Fault> {
    cache.remove(&key(ticket, proof)).await
}

fn key(ticket: &str, proof: &str) -> String {
    let digest = Sha256::new().chain_update(Sha256::digest(ticket)).chain_update(Sha256::digest(proof)).finalize();
    format!("wecom_binding:{}", hex::encode(digest))
}
