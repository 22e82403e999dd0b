//! Access tokens: short-lived JWTs that name the person and the session. Rights are looked up, not carried.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use qingfeng_core::{
    clock::Clock,
    ids::{CountyId, SessionId},
    people::{
        PersonKind,
        sessions::{ACCESS_LASTS, Person},
    },
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::secrets::SigningKey;

const ISSUER: &str = "qingfeng";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: Uuid,
    kind: PersonKind,
    county: CountyId,
    /// Session.
    sid: SessionId,
    iat: i64,
    exp: i64,
}

/// Who a token says is asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bearer {
    pub person: Person,
    pub session: SessionId,
}

/// Signs and checks access tokens.
pub struct AccessTokens {
    clock: Arc<dyn Clock>,
    keys: Vec<(String, EncodingKey, DecodingKey)>,
}

impl AccessTokens {
    #[must_use]
    pub fn new(keys: &[SigningKey], clock: Arc<dyn Clock>) -> Self {
        let keys = keys
            .iter()
            .map(|key| (key.id.clone(), EncodingKey::from_secret(&key.bytes), DecodingKey::from_secret(&key.bytes)))
            .collect();
        Self { clock, keys }
    }

    /// # Errors
    /// When the signing library fails.
    pub fn issue(&self, person: Person, session: SessionId) -> anyhow::Result<String> {
        let (id, key, _) = self.keys.first().ok_or_else(|| anyhow::anyhow!("there is no signing key"))?;
        let now = self.clock.now().timestamp();
        let lasts = i64::try_from(ACCESS_LASTS.as_secs())?;
        let claims = Claims {
            iss: ISSUER.into(),
            sub: person.id,
            kind: person.kind,
            county: person.county,
            sid: session,
            iat: now,
            exp: now + lasts,
        };
        let header = Header { kid: Some(id.clone()), ..Header::new(Algorithm::HS256) };
        Ok(encode(&header, &claims, key)?)
    }

    /// The bearer of a valid token; none for anything else, whatever is wrong with it.
    #[must_use]
    pub fn check(&self, token: &str) -> Option<Bearer> {
        let key_id = decode_header(token).ok()?.kid?;
        let (_, _, key) = self.keys.iter().find(|(id, ..)| *id == key_id)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        // Checked below against our own clock.
        validation.validate_exp = false;
        let claims = decode::<Claims>(token, key, &validation).ok()?.claims;
        (claims.exp > self.clock.now().timestamp()).then_some(Bearer {
            person: Person { county: claims.county, kind: claims.kind, id: claims.sub },
            session: claims.sid,
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use qingfeng_core::{clock::SimulatedClock, randomness::SystemRandomness};

    use super::*;
    use crate::secrets::Secrets;

    fn keys() -> Vec<SigningKey> {
        Secrets::generate(&SystemRandomness).signing_keys().unwrap()
    }

    fn someone() -> (Person, SessionId) {
        let id = Uuid::new_v4();
        (Person { county: CountyId(id), kind: PersonKind::Staff, id }, SessionId(id))
    }

    #[test]
    fn a_token_is_good_for_a_quarter_of_an_hour() {
        let clock = Arc::new(SimulatedClock::at("2026-03-02T01:00:00Z".parse().unwrap()));
        let tokens = AccessTokens::new(&keys(), clock.clone());
        let (person, session) = someone();
        let token = tokens.issue(person, session).unwrap();
        assert_eq!(tokens.check(&token), Some(Bearer { person, session }));
        clock.advance(TimeDelta::minutes(15));
        assert_eq!(tokens.check(&token), None);
    }

    #[test]
    fn a_token_signed_with_another_key_or_changed_is_not_taken() {
        let clock = Arc::new(SimulatedClock::at("2026-03-02T01:00:00Z".parse().unwrap()));
        let (person, session) = someone();
        let ours = AccessTokens::new(&keys(), clock.clone());
        let theirs = AccessTokens::new(&keys(), clock.clone());
        assert_eq!(ours.check(&theirs.issue(person, session).unwrap()), None);
        let mut forged = ours.issue(person, session).unwrap();
        forged.replace_range(60..61, if &forged[60..61] == "A" { "B" } else { "A" });
        assert_eq!(ours.check(&forged), None);
        assert_eq!(ours.check(""), None);
        // "alg": "none"
        assert_eq!(ours.check("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."), None);
    }

    #[test]
    fn a_token_of_the_former_key_is_still_taken_after_a_change_of_keys() {
        let clock = Arc::new(SimulatedClock::at("2026-03-02T01:00:00Z".parse().unwrap()));
        let (old, new) = (keys(), keys());
        let (person, session) = someone();
        let token = AccessTokens::new(&old, clock.clone()).issue(person, session).unwrap();
        let changed = AccessTokens::new(&[new, old].concat(), clock);
        assert!(changed.check(&token).is_some());
    }
}
