//! The client's half: blind, and take the blinding off.

use rsa::{BoxedUint, hazmat::rsa_encrypt, traits::PublicKeyParts};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{BlindError, PREFIX_LENGTH, PublicKey, SALT_LENGTH, pss::encode};
use crate::randomness::{Randomness, random_bytes};

/// What goes to the signer, and the factor that stays here and is forgotten after [`finalize`].
#[derive(Debug, Zeroize, ZeroizeOnDrop)]
pub struct Blinded {
    pub message: Vec<u8>,
    pub inverse: Vec<u8>,
}

/// `PrepareRandomize`: a fresh prefix in front of the message, so that a message that is easy to guess is not.
#[must_use]
pub fn prepare(prefix: &[u8; PREFIX_LENGTH], message: &[u8]) -> Vec<u8> {
    [prefix.as_slice(), message].concat()
}

/// `Blind`: encodes the prepared message and hides it under a random factor.
///
/// # Errors
/// When there is no randomness or the key is bad.
pub fn blind(key: &PublicKey, prepared: &[u8], randomness: &dyn Randomness) -> Result<Blinded, BlindError> {
    let salt: [u8; SALT_LENGTH] = random_bytes(randomness)?;
    loop {
        let mut factor = Zeroizing::new(vec![0; key.length()]);
        randomness.fill(&mut factor)?;
        match blind_with(key, prepared, &salt, &factor) {
            // A number at or above the modulus or, once in the life of the universe, one of its factors: draw again.
            Err(BlindError::OutOfRange) => {}
            blinded => return blinded,
        }
    }
}

/// The same with everything random given: what the test vectors ask for.
pub(super) fn blind_with(key: &PublicKey, prepared: &[u8], salt: &[u8], factor: &[u8]) -> Result<Blinded, BlindError> {
    let message = key.number(&encode(prepared, salt, key.length())?)?;
    let factor = key.number(factor)?;
    let inverse: Option<BoxedUint> = factor.invert_mod(key.parts().n()).into();
    let inverse = inverse.ok_or(BlindError::OutOfRange)?;
    let hidden = rsa_encrypt(key.parts(), &factor).map_err(|_| BlindError::BadKey)?;
    let message = message.mul_mod(&hidden, key.parts().n());
    Ok(Blinded { message: key.bytes(&message), inverse: key.bytes(&inverse) })
}

/// `Finalize`: takes the blinding off and accepts the signature only when it verifies.
///
/// # Errors
/// When the signer answered with anything but its signature under exactly this key.
pub fn finalize(
    key: &PublicKey,
    prepared: &[u8],
    blind_signature: &[u8],
    inverse: &[u8],
) -> Result<Vec<u8>, BlindError> {
    finalize_with_salt(key, prepared, blind_signature, inverse, SALT_LENGTH)
}

pub(super) fn finalize_with_salt(
    key: &PublicKey,
    prepared: &[u8],
    blind_signature: &[u8],
    inverse: &[u8],
    salt: usize,
) -> Result<Vec<u8>, BlindError> {
    let signature = key.number(blind_signature)?.mul_mod(&key.number(inverse)?, key.parts().n());
    let signature = key.bytes(&signature);
    key.verify_with_salt(prepared, &signature, salt)?;
    Ok(signature)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::blind::{BlindSigner, RsaSigner};
    use crate::testing::Seeded;

    #[derive(Deserialize)]
    struct Vector {
        name: String,
        p: String,
        q: String,
        n: String,
        d: String,
        input_msg: String,
        salt: String,
        encoded_msg: Option<String>,
        inv: String,
        blinded_msg: String,
        blind_sig: String,
        sig: String,
    }

    fn bytes(text: &str) -> Vec<u8> {
        hex::decode(text.trim_start_matches("0x")).unwrap()
    }

    #[test]
    fn the_test_vectors_of_the_rfc_come_out_byte_by_byte() {
        let vectors: Vec<Vector> = serde_json::from_str(include_str!("../../tests/vectors/rfc9474.json")).unwrap();
        assert_eq!(vectors.len(), 4);
        for vector in vectors {
            let signer = RsaSigner::from_primes(&bytes(&vector.p), &bytes(&vector.q)).unwrap();
            let key = signer.public_key();
            assert_eq!(key.modulus(), bytes(&vector.n), "{}", vector.name);
            assert_eq!(signer.private_exponent(), bytes(&vector.d), "{}", vector.name);

            let (input, salt, inverse) = (bytes(&vector.input_msg), bytes(&vector.salt), bytes(&vector.inv));
            if let Some(encoded) = &vector.encoded_msg {
                assert_eq!(encode(&input, &salt, key.length()).unwrap(), bytes(encoded), "{}", vector.name);
            }
            // The vectors name the factor's inverse; its own inverse is the factor.
            let factor = key.number(&inverse).unwrap().invert_mod(key.parts().n()).unwrap();
            let blinded = blind_with(key, &input, &salt, &key.bytes(&factor)).unwrap();
            assert_eq!(blinded.message, bytes(&vector.blinded_msg), "{}", vector.name);
            assert_eq!(blinded.inverse, inverse, "{}", vector.name);

            let signed = signer.blind_sign(&blinded.message, &Seeded::new(1)).unwrap();
            assert_eq!(signed, bytes(&vector.blind_sig), "{}", vector.name);
            let signature = finalize_with_salt(key, &input, &signed, &blinded.inverse, salt.len()).unwrap();
            assert_eq!(signature, bytes(&vector.sig), "{}", vector.name);
        }
    }
}
