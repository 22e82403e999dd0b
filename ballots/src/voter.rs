//! The resident's half in Rust: for the co-signer's paper tool and for tests. Phones run `app/src/ballots`, which does the
//! same byte for byte.

use ed25519_dalek::{Signer, SigningKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    Hex,
    answers::Answers,
    ballot::{BALLOT_SEQUENCE, Ballot, is_signed_by},
    blind::{BlindError, Blinded, PublicKey, blind, finalize, prepare},
    canonical::sha256,
    close::{SlipKey, SlipTag},
    envelope::{EnvelopeError, Recipient, pad, seal},
    manifest::Keys,
    messages::{self, SurveyId},
    outer::Outer,
    randomness::{NoRandomness, Randomness, random_bytes},
};

/// Ballot and tag keys, and three messages blinded for the authorities.
pub struct Request {
    survey: SurveyId,
    ballot_key: SigningKey,
    tag_key: SigningKey,
    a: Wish,
    b: Wish,
    d: Wish,
}

struct Wish {
    prefix: Hex<32>,
    prepared: Vec<u8>,
    blinded: Blinded,
}

impl Wish {
    fn new(key: &PublicKey, message: &[u8], randomness: &dyn Randomness) -> Result<Self, BlindError> {
        let prefix = Hex(random_bytes(randomness)?);
        let prepared = prepare(&prefix.0, message);
        let blinded = blind(key, &prepared, randomness)?;
        Ok(Self { prefix, prepared, blinded })
    }

    fn finish(&self, key: &PublicKey, signed: &[u8]) -> Result<Hex<256>, BlindError> {
        let signature = finalize(key, &self.prepared, signed, &self.blinded.inverse)?;
        Hex::try_from(signature.as_slice()).map_err(|_| BlindError::WrongLength)
    }
}

impl Request {
    /// Makes the keys and blinds.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn new(survey: SurveyId, keys: &Keys, randomness: &dyn Randomness) -> Result<Self, BlindError> {
        Self::with_keys(survey, keys, signing_key(randomness)?, signing_key(randomness)?, randomness)
    }

    /// The same with ballot and tag key given: a paper slip's are derived from its code.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn with_keys(
        survey: SurveyId,
        keys: &Keys,
        ballot_key: SigningKey,
        tag_key: SigningKey,
        randomness: &dyn Randomness,
    ) -> Result<Self, BlindError> {
        let credential = messages::credential(&survey, &Hex(ballot_key.verifying_key().to_bytes()));
        let drop_tag = messages::drop_tag(&survey, &Hex(tag_key.verifying_key().to_bytes()));
        Ok(Self {
            survey,
            a: Wish::new(&keys.a, &credential, randomness)?,
            b: Wish::new(&keys.b, &credential, randomness)?,
            d: Wish::new(&keys.d, &drop_tag, randomness)?,
            ballot_key,
            tag_key,
        })
    }

    /// For the platform: the blinded ballot key and the blinded tag.
    #[must_use]
    pub fn for_platform(&self) -> (&[u8], &[u8]) {
        (&self.a.blinded.message, &self.d.blinded.message)
    }

    /// For the co-signer: the ballot key, blinded anew.
    #[must_use]
    pub fn for_cosigner(&self) -> &[u8] {
        &self.b.blinded.message
    }

    /// Takes the blinding off all three and checks each.
    ///
    /// # Errors
    /// When one of them is not the authority's signature.
    pub fn finish(self, keys: &Keys, a: &[u8], b: &[u8], d: &[u8]) -> Result<Credential, BlindError> {
        Ok(Credential {
            pa: self.a.prefix,
            sa: self.a.finish(&keys.a, a)?,
            pb: self.b.prefix,
            sb: self.b.finish(&keys.b, b)?,
            pd: self.d.prefix,
            sd: self.d.finish(&keys.d, d)?,
            survey: self.survey,
            ballot_key: self.ballot_key,
            tag_key: self.tag_key,
        })
    }
}

/// A slip that was left in the bag, to be voided by those who hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnusedSlip {
    pub pk: Hex<32>,
    pub tag: Hex<32>,
    pub pk_signature: Hex<64>,
    pub tag_signature: Hex<64>,
}

impl UnusedSlip {
    /// Whether both keys have signed: the code was read, not picked from the public lists.
    #[must_use]
    pub fn is_held(&self, survey: &SurveyId) -> bool {
        let message = messages::unused_slip(survey, &self.pk, &self.tag);
        is_signed_by(&self.pk, &message, &self.pk_signature) && is_signed_by(&self.tag, &message, &self.tag_signature)
    }
}

/// The right to answer once, and to change the answer until the close.
#[derive(Clone)]
pub struct Credential {
    pub survey: SurveyId,
    pub ballot_key: SigningKey,
    pub tag_key: SigningKey,
    pub pa: Hex<32>,
    pub sa: Hex<256>,
    pub pb: Hex<32>,
    pub sb: Hex<256>,
    pub pd: Hex<32>,
    pub sd: Hex<256>,
}

impl Credential {
    /// The public halves, as they are listed when the credential is printed on a paper slip.
    #[must_use]
    pub fn slip(&self) -> (SlipKey, SlipTag) {
        let pk = Hex(self.ballot_key.verifying_key().to_bytes());
        let tag = Hex(self.tag_key.verifying_key().to_bytes());
        (SlipKey { pk, pa: self.pa, sa: self.sa, pb: self.pb, sb: self.sb }, SlipTag { tag, pd: self.pd, sd: self.sd })
    }

    /// Shows that who asks to void a slip holds its code: both keys sign that they belong together.
    #[must_use]
    pub fn unused(&self) -> UnusedSlip {
        let (SlipKey { pk, .. }, SlipTag { tag, .. }) = self.slip();
        let message = messages::unused_slip(&self.survey, &pk, &tag);
        UnusedSlip {
            pk,
            tag,
            pk_signature: Hex(self.ballot_key.sign(&message).to_bytes()),
            tag_signature: Hex(self.tag_key.sign(&message).to_bytes()),
        }
    }

    /// Signs the answers.
    #[must_use]
    pub fn ballot(&self, answers: Answers) -> Ballot {
        let pk = Hex(self.ballot_key.verifying_key().to_bytes());
        let message = messages::ballot(&self.survey, &pk, BALLOT_SEQUENCE, &answers.hash());
        Ballot {
            v: 1,
            pk,
            seq: BALLOT_SEQUENCE,
            ans: answers,
            sig: Hex(self.ballot_key.sign(&message).to_bytes()),
            pa: self.pa,
            sa: self.sa,
            pb: self.pb,
            sb: self.sb,
        }
    }

    /// Seals a content and puts it under the tag as this revision.
    ///
    /// # Errors
    /// When there is no randomness or the content is too long.
    pub fn outer(
        &self,
        content: &[u8],
        revision: u32,
        recipient: Recipient,
        randomness: &dyn Randomness,
    ) -> Result<Outer, EnvelopeError> {
        let envelope = seal(recipient, &pad(content)?, randomness)?;
        let env = Hex::try_from(envelope.as_slice()).map_err(|_| EnvelopeError::BadForm)?;
        let tag = Hex(self.tag_key.verifying_key().to_bytes());
        let message = messages::envelope(&self.survey, &tag, revision, &sha256(&[&envelope]));
        let tsig = Hex(self.tag_key.sign(&message).to_bytes());
        Ok(Outer { sid: self.survey, tag, seq: revision, env, prefix: self.pd, sig: self.sd, tsig })
    }
}

fn signing_key(randomness: &dyn Randomness) -> Result<SigningKey, NoRandomness> {
    let seed: Zeroizing<[u8; 32]> = Zeroizing::new(random_bytes(randomness)?);
    Ok(SigningKey::from_bytes(&seed))
}
