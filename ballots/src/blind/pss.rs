//! EMSA-PSS-ENCODE with SHA-384 and MGF1 (RFC 8017 §9.1.1): the library encodes only while signing, the client of a blind
//! signature encodes and lets somebody else sign.

use rsa::sha2::{Digest, Sha384};

use super::BlindError;

/// Salt of `RSABSSA-SHA384-PSS-Randomized`, in bytes.
pub const SALT_LENGTH: usize = 48;
const HASH_LENGTH: usize = 48;

/// Encodes a message for a modulus of whole bytes (its top bit is set, so the encoding has one bit less).
pub(super) fn encode(message: &[u8], salt: &[u8], length: usize) -> Result<Vec<u8>, BlindError> {
    let padding = length.checked_sub(HASH_LENGTH + salt.len() + 2).ok_or(BlindError::BadKey)?;
    let digest = Sha384::new().chain_update([0; 8]).chain_update(Sha384::digest(message)).chain_update(salt).finalize();
    let mut encoded = vec![0; padding];
    encoded.push(1);
    encoded.extend_from_slice(salt);
    for (byte, mask) in encoded.iter_mut().zip(mask(&digest, padding + 1 + salt.len())) {
        *byte ^= mask;
    }
    encoded[0] &= 0x7f;
    encoded.extend_from_slice(&digest);
    encoded.push(0xbc);
    Ok(encoded)
}

fn mask(seed: &[u8], length: usize) -> Vec<u8> {
    let mut mask = Vec::with_capacity(length + HASH_LENGTH);
    for counter in 0u32.. {
        if mask.len() >= length {
            break;
        }
        mask.extend_from_slice(&Sha384::new().chain_update(seed).chain_update(counter.to_be_bytes()).finalize());
    }
    mask.truncate(length);
    mask
}
