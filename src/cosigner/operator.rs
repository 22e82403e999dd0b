//! The platform's log key: signs checkpoints, and what the platform asks of the co-signer.

use anyhow::Context;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use qingfeng_ballots::{Hex, log::StandardSigner, messages::operator_request};

/// Header with the signature of who asks.
pub const SIGNATURE: &str = "Qingfeng-Signature";

/// A log key with both its uses.
pub struct LogSigner {
    key: SigningKey,
    notes: StandardSigner,
    public: String,
}

impl LogSigner {
    /// Reads a key in signed-note spelling.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(secret: &str, public: &str) -> anyhow::Result<Self> {
        let notes = StandardSigner::new(secret).map_err(|_| anyhow::anyhow!("the log key cannot be read"))?;
        // PRIVATE+KEY+name+id+base64, which may itself hold a plus.
        let encoded = secret.splitn(5, '+').nth(4).context("the log key cannot be read")?;
        let bytes = BASE64_STANDARD.decode(encoded).context("the log key cannot be read")?;
        let seed = bytes.get(1..).and_then(|seed| seed.try_into().ok()).context("the log key cannot be read")?;
        Ok(Self { key: SigningKey::from_bytes(seed), notes, public: public.to_owned() })
    }

    /// `name+id+key`: what others pin.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.public
    }

    #[must_use]
    pub fn notes(&self) -> &StandardSigner {
        &self.notes
    }

    /// Signs a request to another authority.
    #[must_use]
    pub fn sign_request(&self, method: &str, path_and_query: &str, body: &[u8]) -> Hex<64> {
        Hex(self.key.sign(&operator_request(method, path_and_query, body)).to_bytes())
    }
}

impl std::fmt::Debug for LogSigner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "LogSigner({})", self.public)
    }
}

/// Whether the authority with this key (`name+id+key`) asks.
#[must_use]
pub fn is_request_of(vkey: &str, method: &str, path_and_query: &str, body: &[u8], signature: &Hex<64>) -> bool {
    let key = vkey.splitn(3, '+').nth(2).and_then(|key| BASE64_STANDARD.decode(key).ok());
    let key = key.and_then(|key| VerifyingKey::from_bytes(key.get(1..)?.try_into().ok()?).ok());
    let message = operator_request(method, path_and_query, body);
    key.is_some_and(|key| key.verify_strict(&message, &Signature::from_bytes(&signature.0)).is_ok())
}

#[cfg(test)]
mod tests {
    use qingfeng_ballots::{
        log::LogKey,
        randomness::{NoRandomness, Randomness},
    };

    use super::*;

    struct Numbered(u8);

    impl Randomness for Numbered {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    #[test]
    fn a_request_is_bound_to_its_method_its_address_and_its_body() {
        for number in 0..40 {
            let key = LogKey::generate("platform", &Numbered(number)).expect("a key");
            let signer = LogSigner::parse(&key.secret, &key.public).expect("a signer");
            let signature = signer.sign_request("POST", "/v1/surveys?x=1", b"body");
            let made = |method, path, body| is_request_of(signer.public(), method, path, body, &signature);
            assert!(made("POST", "/v1/surveys?x=1", b"body"));
            assert!(!made("PUT", "/v1/surveys?x=1", b"body"));
            assert!(!made("POST", "/v1/surveys", b"body"));
            assert!(!made("POST", "/v1/surveys?x=1", b"other"));
            assert!(!is_request_of("platform+nonsense", "POST", "/v1/surveys?x=1", b"body", &signature));
        }
    }
}
