//! The signer in pure Rust.

use rsa::{
    BoxedUint, PrivateKey,
    hazmat::rsa_decrypt,
    pkcs8::{DecodePrivateKey, EncodePrivateKey},
    traits::PublicKeyParts,
};
use zeroize::Zeroizing;

use super::{BlindError, BlindSigner, PublicKey, key::PUBLIC_EXPONENT};
use crate::randomness::{ForRsa, NoRandomness, Randomness};

/// Signs with the `rsa` crate, its exponent and modulus blinded against timing, and checks every result.
pub struct RsaSigner {
    key: PrivateKey,
    public: PublicKey,
}

/// A fresh key of 2048 bits: one per survey and authority, deleted at close.
///
/// Forging is of use only until the close, and privacy does not depend on the length.
///
/// # Errors
/// When there is no randomness.
pub fn generate(randomness: &dyn Randomness) -> Result<RsaSigner, BlindError> {
    let key = PrivateKey::new(&mut ForRsa(randomness), 2048).map_err(|_| NoRandomness)?;
    RsaSigner::from_key(key)
}

impl RsaSigner {
    fn from_key(key: PrivateKey) -> Result<Self, BlindError> {
        if key.e() != &BoxedUint::from(PUBLIC_EXPONENT) || key.validate().is_err() {
            return Err(BlindError::BadKey);
        }
        let public = PublicKey::from_modulus(&key.n().as_ref().to_be_bytes_trimmed_vartime())?;
        Ok(Self { key, public })
    }

    /// Reads a kept key (PKCS #8).
    ///
    /// # Errors
    /// When it is not an RSA key of the right form.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, BlindError> {
        Self::from_key(PrivateKey::from_pkcs8_der(der).map_err(|_| BlindError::BadKey)?)
    }

    /// The key to keep (PKCS #8). Whoever has it can forge credentials until the survey closes.
    ///
    /// # Errors
    /// When the key cannot be encoded.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, BlindError> {
        let der = self.key.to_pkcs8_der().map_err(|_| BlindError::BadKey)?;
        Ok(Zeroizing::new(der.as_bytes().to_vec()))
    }

    #[cfg(test)]
    pub(super) fn from_primes(p: &[u8], q: &[u8]) -> Result<Self, BlindError> {
        let (p, q) = (BoxedUint::from_be_slice_vartime(p), BoxedUint::from_be_slice_vartime(q));
        let key = PrivateKey::from_p_q(p, q, BoxedUint::from(PUBLIC_EXPONENT)).map_err(|_| BlindError::BadKey)?;
        Self::from_key(key)
    }

    #[cfg(test)]
    pub(super) fn private_exponent(&self) -> Vec<u8> {
        self.public.bytes(rsa::traits::PrivateKeyParts::d(&self.key))
    }
}

impl BlindSigner for RsaSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn private_operation(&self, blinded: &[u8], randomness: &dyn Randomness) -> Result<Vec<u8>, BlindError> {
        let number = self.public.number(blinded)?;
        let signed = rsa_decrypt(Some(&mut ForRsa(randomness)), &self.key, &number).map_err(|_| NoRandomness)?;
        Ok(self.public.bytes(&signed))
    }
}

impl std::fmt::Debug for RsaSigner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RsaSigner").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::{
        blind::{PREFIX_LENGTH, blind, finalize, prepare},
        testing::{Exhausted, Seeded, signer},
    };

    fn number(last: u8) -> Vec<u8> {
        let mut bytes = vec![0; 256];
        bytes[255] = last;
        bytes
    }

    #[rstest]
    #[case::zero(number(0), BlindError::OutOfRange)]
    #[case::one(number(1), BlindError::OutOfRange)]
    #[case::the_modulus(signer(1).public_key().modulus().to_vec(), BlindError::OutOfRange)]
    #[case::above_the_modulus(vec![0xff; 256], BlindError::OutOfRange)]
    #[case::empty(vec![], BlindError::WrongLength)]
    #[case::too_short(vec![7; 255], BlindError::WrongLength)]
    #[case::too_long(vec![7; 257], BlindError::WrongLength)]
    fn what_is_no_blinded_message_is_refused(#[case] blinded: Vec<u8>, #[case] refusal: BlindError) {
        assert_eq!(signer(1).blind_sign(&blinded, &Seeded::new(1)), Err(refusal));
    }

    #[test]
    fn the_number_below_the_modulus_and_two_are_signed() {
        let signer = signer(1);
        let mut below = signer.public_key().modulus().to_vec();
        below[255] -= 1;
        assert!(signer.blind_sign(&below, &Seeded::new(1)).is_ok());
        assert!(signer.blind_sign(&number(2), &Seeded::new(1)).is_ok());
    }

    #[test]
    fn the_same_request_gets_the_same_bytes_whatever_the_randomness() {
        let signer = signer(1);
        let blinded = blind(signer.public_key(), b"prepared", &Seeded::new(2)).unwrap();
        let first = signer.blind_sign(&blinded.message, &Seeded::new(3)).unwrap();
        assert_eq!(signer.blind_sign(&blinded.message, &Seeded::new(4)).unwrap(), first);
    }

    #[test]
    fn a_signature_is_finished_only_under_the_key_and_the_message_that_were_meant() {
        let (signer, other, random) = (signer(1), signer(2), Seeded::new(5));
        let key = signer.public_key();
        let prepared = prepare(&[7; PREFIX_LENGTH], b"ballot key");
        let blinded = blind(key, &prepared, &random).unwrap();
        let signed = signer.blind_sign(&blinded.message, &random).unwrap();
        let signature = finalize(key, &prepared, &signed, &blinded.inverse).unwrap();
        assert_eq!(key.verify(&prepared, &signature), Ok(()));
        assert_ne!(signature, signed, "the signer never sees the finished signature");

        let invalid = Err(BlindError::InvalidSignature);
        assert_eq!(finalize(key, b"another message", &signed, &blinded.inverse), invalid);
        let substituted = other.blind_sign(&number(9), &random).unwrap();
        assert!(finalize(key, &prepared, &substituted, &blinded.inverse).is_err());
        assert_eq!(other.public_key().verify(&prepared, &signature), Err(BlindError::InvalidSignature));
        assert_eq!(finalize(key, &prepared, &signed[1..], &blinded.inverse), Err(BlindError::WrongLength));
    }

    struct Faulty(RsaSigner);

    impl BlindSigner for Faulty {
        fn public_key(&self) -> &PublicKey {
            self.0.public_key()
        }

        fn private_operation(&self, blinded: &[u8], randomness: &dyn Randomness) -> Result<Vec<u8>, BlindError> {
            let mut signed = self.0.private_operation(blinded, randomness)?;
            signed[200] ^= 1;
            Ok(signed)
        }
    }

    #[test]
    fn a_faulty_signature_never_leaves_the_signer() {
        let signed = Faulty(signer(1)).blind_sign(&number(9), &Seeded::new(1));
        assert_eq!(signed, Err(BlindError::Fault));
    }

    #[test]
    fn without_randomness_nothing_is_blinded_signed_or_generated() {
        let signer = signer(1);
        let refusal = BlindError::NoRandomness(NoRandomness);
        assert_eq!(blind(signer.public_key(), b"m", &Exhausted).unwrap_err(), refusal);
        assert_eq!(signer.blind_sign(&number(9), &Exhausted), Err(refusal));
        assert_eq!(generate(&Exhausted).unwrap_err(), refusal);
    }

    #[test]
    fn a_kept_key_is_the_same_key() {
        let signer = signer(1);
        let again = RsaSigner::from_pkcs8(&signer.to_pkcs8().unwrap()).unwrap();
        assert_eq!(again.public_key(), signer.public_key());
        assert_eq!(RsaSigner::from_pkcs8(b"nonsense").unwrap_err(), BlindError::BadKey);
    }

    #[test]
    fn a_modulus_of_the_wrong_form_is_no_key() {
        let good = signer(1).public_key().modulus().to_vec();
        let mut even = good.clone();
        even[255] &= 0xfe;
        let mut short = good.clone();
        short[0] = 0;
        for bad in [even, short, good[..255].to_vec(), vec![0xff; 1024], vec![]] {
            assert_eq!(PublicKey::from_modulus(&bad), Err(BlindError::BadKey));
        }
    }
}
