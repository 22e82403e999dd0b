//! The platform's two keys of a box: over ballot keys and over tags.

use std::sync::Arc;

use qingfeng_ballots::{
    Hex,
    blind::{self, BlindError, BlindSigner},
    randomness::{NoRandomness, Randomness as BallotsRandomness},
};

use crate::{randomness::Randomness, refusal::Fault, sealing::Sealer, storage::Store};

/// What the keys are sealed for.
const BALLOT_KEY: &str = "survey key over ballot keys";
const TAG_KEY: &str = "survey key over tags";

/// Our source in the shape that the ballots take.
pub(super) struct Source(pub(super) Arc<dyn Randomness>);

impl BallotsRandomness for Source {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self.0.fill(bytes);
        Ok(())
    }
}

/// Both keys, sealed.
pub(super) struct SealedKeys {
    pub(super) ballot: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

/// Both keys, ready to sign.
pub(super) struct Signers {
    pub(super) ballot: Box<dyn BlindSigner>,
    pub(super) tag: Box<dyn BlindSigner>,
}

/// A key's modulus as the formats write it.
pub(super) fn modulus(signer: &dyn BlindSigner) -> Result<Hex<256>, Fault> {
    Hex::try_from(signer.public_key().modulus()).map_err(Fault::unavailable)
}

/// Makes fresh keys, off the threads that serve others.
pub(super) async fn generate(store: &Store, sealer: &Sealer) -> Result<SealedKeys, Fault> {
    let (randomness, sealer) = (Arc::clone(&store.surroundings().randomness), sealer.clone());
    let made = tokio::task::spawn_blocking(move || -> Result<SealedKeys, BlindError> {
        let source = Source(Arc::clone(&randomness));
        let seal = |purpose: &str| -> Result<Vec<u8>, BlindError> {
            let key = blind::generate(&source)?.to_pkcs8()?;
            Ok(sealer.seal(purpose, &key, &*randomness))
        };
        Ok(SealedKeys { ballot: seal(BALLOT_KEY)?, tag: seal(TAG_KEY)? })
    });
    made.await.map_err(Fault::unavailable)?.map_err(Fault::unavailable)
}

/// Opens both keys.
pub(super) fn open(sealer: &Sealer, keys: &SealedKeys) -> Result<Signers, Fault> {
    let signer = |purpose: &str, sealed: &[u8]| -> Result<Box<dyn BlindSigner>, Fault> {
        engine(&sealer.open(purpose, sealed)?).map_err(Fault::unavailable)
    };
    Ok(Signers { ballot: signer(BALLOT_KEY, &keys.ballot)?, tag: signer(TAG_KEY, &keys.tag)? })
}

#[cfg(feature = "openssl")]
fn engine(der: &[u8]) -> Result<Box<dyn BlindSigner>, BlindError> {
    Ok(Box::new(blind::OpensslSigner::from_pkcs8(der)?))
}

#[cfg(not(feature = "openssl"))]
fn engine(der: &[u8]) -> Result<Box<dyn BlindSigner>, BlindError> {
    Ok(Box::new(blind::RsaSigner::from_pkcs8(der)?))
}

/// Signs blinded messages with both keys, off the threads that serve others: the pairs' first under the key over ballot
/// keys, their second under the key over tags.
pub(super) async fn sign(
    store: &Store,
    sealer: &Sealer,
    keys: SealedKeys,
    wishes: Vec<(Hex<256>, Hex<256>)>,
) -> Result<Result<Vec<(Hex<256>, Hex<256>)>, BlindError>, Fault> {
    let (randomness, sealer) = (Arc::clone(&store.surroundings().randomness), sealer.clone());
    let signed = tokio::task::spawn_blocking(move || {
        let signers = open(&sealer, &keys)?;
        let source = Source(randomness);
        let sign = |signer: &dyn BlindSigner, blinded: &Hex<256>| -> Result<Hex<256>, BlindError> {
            let signed = signer.blind_sign(blinded.as_slice(), &source)?;
            Hex::try_from(signed.as_slice()).map_err(|_| BlindError::Fault)
        };
        let pair =
            |(ballot, tag): &(Hex<256>, Hex<256>)| Ok((sign(&*signers.ballot, ballot)?, sign(&*signers.tag, tag)?));
        Ok::<_, Fault>(wishes.iter().map(pair).collect::<Result<Vec<_>, BlindError>>())
    });
    signed.await.map_err(Fault::unavailable)?
}
