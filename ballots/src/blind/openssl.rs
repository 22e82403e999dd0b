//! The signer on the system's OpenSSL: about six times as fast.

use openssl::{
    pkey::Private,
    rsa::{Padding, Rsa},
};

use super::{BlindError, BlindSigner, PublicKey};
use crate::randomness::Randomness;

/// Signs with OpenSSL, which blinds with randomness of its own.
pub struct OpensslSigner {
    key: Rsa<Private>,
    public: PublicKey,
}

impl OpensslSigner {
    /// Reads a kept key (PKCS #8), as [`super::RsaSigner::to_pkcs8`] writes it.
    ///
    /// # Errors
    /// When it is not an RSA key of the right form.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, BlindError> {
        // The pure reader decides what is a good key, so that both engines take the same.
        let public = super::RsaSigner::from_pkcs8(der)?.public_key().clone();
        let key =
            openssl::pkey::PKey::private_key_from_der(der).and_then(|key| key.rsa()).map_err(|_| BlindError::BadKey)?;
        Ok(Self { key, public })
    }
}

impl BlindSigner for OpensslSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn private_operation(&self, blinded: &[u8], _randomness: &dyn Randomness) -> Result<Vec<u8>, BlindError> {
        let mut signed = vec![0; self.public.length()];
        self.key.private_decrypt(blinded, &mut signed, Padding::NONE).map_err(|_| BlindError::Fault)?;
        Ok(signed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        blind::blind,
        testing::{Seeded, signer},
    };

    #[test]
    fn both_engines_give_the_same_bytes_and_refuse_the_same() {
        let (pure, random) = (signer(1), Seeded::new(9));
        let fast = OpensslSigner::from_pkcs8(&pure.to_pkcs8().unwrap()).unwrap();
        let blinded = blind(pure.public_key(), b"prepared", &random).unwrap();
        assert_eq!(fast.blind_sign(&blinded.message, &random), pure.blind_sign(&blinded.message, &random));
        for bad in [vec![0; 256], vec![0xff; 256], vec![1; 255]] {
            assert_eq!(fast.blind_sign(&bad, &random), pure.blind_sign(&bad, &random));
        }
    }
}
