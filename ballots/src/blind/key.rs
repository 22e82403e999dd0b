use rsa::{
    BoxedUint, hazmat::rsa_encrypt, pss::VerifyingKey, sha2::Sha384, signature::Verifier, traits::PublicKeyParts,
};

use super::{BlindError, SALT_LENGTH};

/// e = 65537, always.
pub(super) const PUBLIC_EXPONENT: u32 = 65537;

/// An authority's public key for one survey.
#[derive(Debug, Clone)]
pub struct PublicKey {
    key: rsa::PublicKey,
    modulus: Vec<u8>,
}

impl PublicKey {
    /// Reads a modulus; the exponent is 65537.
    ///
    /// # Errors
    /// When the number is even, has not a whole number of bytes, or is shorter than 2048 or longer than 4096 bits.
    pub fn from_modulus(modulus: &[u8]) -> Result<Self, BlindError> {
        let whole = modulus.first().is_some_and(|first| first & 0x80 != 0);
        let odd = modulus.last().is_some_and(|last| last & 1 == 1);
        if !whole || !odd || !(256..=512).contains(&modulus.len()) {
            return Err(BlindError::BadKey);
        }
        let number = BoxedUint::from_be_slice_vartime(modulus);
        let key = rsa::PublicKey::new(number, BoxedUint::from(PUBLIC_EXPONENT)).map_err(|_| BlindError::BadKey)?;
        Ok(Self { key, modulus: modulus.to_vec() })
    }

    /// The modulus, big-endian.
    #[must_use]
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// Length of the modulus, of blinded messages and of signatures, in bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.modulus.len()
    }

    /// RSASSA-PSS-VERIFY with SHA-384 and a salt of 48 bytes.
    ///
    /// # Errors
    /// When the signature is not one of this key over this message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BlindError> {
        self.verify_with_salt(message, signature, SALT_LENGTH)
    }

    pub(super) fn verify_with_salt(&self, message: &[u8], signature: &[u8], salt: usize) -> Result<(), BlindError> {
        if signature.len() != self.length() {
            return Err(BlindError::InvalidSignature);
        }
        let signature = rsa::pss::Signature::try_from(signature).map_err(|_| BlindError::InvalidSignature)?;
        VerifyingKey::<Sha384>::new_with_salt_len(self.key.clone(), salt)
            .verify(message, &signature)
            .map_err(|_| BlindError::InvalidSignature)
    }

    pub(super) fn parts(&self) -> &rsa::PublicKey {
        &self.key
    }

    /// A number below the modulus, in the modulus's precision.
    pub(super) fn number(&self, bytes: &[u8]) -> Result<BoxedUint, BlindError> {
        if bytes.len() != self.length() {
            return Err(BlindError::WrongLength);
        }
        let number =
            BoxedUint::from_be_slice(bytes, self.key.n().bits_precision()).map_err(|_| BlindError::OutOfRange)?;
        if number >= **self.key.n() { Err(BlindError::OutOfRange) } else { Ok(number) }
    }

    /// Whether a blinded message may be signed: a number between two and the modulus.
    pub(super) fn check_blinded(&self, blinded: &[u8]) -> Result<(), BlindError> {
        if self.number(blinded)? <= BoxedUint::one() { Err(BlindError::OutOfRange) } else { Ok(()) }
    }

    /// Whether the signed number, raised to the public exponent, is the blinded one.
    pub(super) fn is_signature_of(&self, signed: &[u8], blinded: &[u8]) -> bool {
        let raised = self.number(signed).ok().and_then(|number| rsa_encrypt(&self.key, &number).ok());
        raised.is_some_and(|raised| self.bytes(&raised) == blinded)
    }

    /// A number as bytes of the modulus's length.
    pub(super) fn bytes(&self, number: &BoxedUint) -> Vec<u8> {
        let bytes = number.to_be_bytes();
        let surplus = bytes.len().saturating_sub(self.length());
        let mut whole = vec![0; self.length().saturating_sub(bytes.len())];
        whole.extend_from_slice(&bytes[surplus..]);
        whole
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.modulus == other.modulus
    }
}

impl Eq for PublicKey {}
