//! The sealed envelope: an age v1 file with one X25519 recipient, always 4296 bytes, around a plaintext of always 4096.
//!
//! age's own writer adds a stanza of random length to keep readers tolerant; here length must say nothing, so the header
//! is written by us and read by age.

use std::{io::Read, str::FromStr};

use age::{
    DecryptError, Decryptor, Identity,
    secrecy::{ExposeSecret, SecretString},
    x25519,
};
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, aead::Aead};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::{
    Hex,
    randomness::{NoRandomness, Randomness, random_bytes},
};

pub const PLAINTEXT_LENGTH: usize = 4096;
pub const ENVELOPE_LENGTH: usize = 4296;

/// Key of one envelope: whoever has it can open this envelope and no other.
pub type FileKey = Hex<16>;

/// An envelope could not be made or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    #[error("more than fits into an envelope")]
    TooLong,
    #[error("not an envelope of 4296 bytes with one X25519 recipient")]
    BadForm,
    #[error("the recipient is not an age X25519 key")]
    BadRecipient,
    #[error("the key does not open this envelope")]
    Unopenable,
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// `u32 length || content || zero bytes`, always 4096.
///
/// # Errors
/// When the content is too long.
pub fn pad(content: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
    pad_to(PLAINTEXT_LENGTH, content)
}

/// The same for envelopes of another size.
pub(crate) fn pad_to(plaintext: usize, content: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
    if content.len() > plaintext - 4 {
        return Err(EnvelopeError::TooLong);
    }
    let length = u32::try_from(content.len()).map_err(|_| EnvelopeError::TooLong)?;
    let mut padded = length.to_be_bytes().to_vec();
    padded.extend_from_slice(content);
    padded.resize(plaintext, 0);
    Ok(padded)
}

/// Takes the padding off; nothing but zero bytes may follow the content.
#[must_use]
pub fn unpad(padded: &[u8]) -> Option<&[u8]> {
    unpad_from(PLAINTEXT_LENGTH, padded)
}

/// The same for envelopes of another size.
pub(crate) fn unpad_from(plaintext: usize, padded: &[u8]) -> Option<&[u8]> {
    if padded.len() != plaintext {
        return None;
    }
    let (length, rest) = padded.split_first_chunk::<4>()?;
    let (content, zeros) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    zeros.iter().all(|byte| *byte == 0).then_some(content)
}

/// Whom envelopes are sealed to: the box key's public half, `age1…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient([u8; 32]);

impl FromStr for Recipient {
    type Err = EnvelopeError;

    fn from_str(text: &str) -> Result<Self, EnvelopeError> {
        // age checks the form; its type keeps the bytes to itself.
        x25519::Recipient::from_str(text).map_err(|_| EnvelopeError::BadRecipient)?;
        let (_, bytes) = bech32::decode(text).map_err(|_| EnvelopeError::BadRecipient)?;
        bytes.try_into().map(Self).map_err(|_| EnvelopeError::BadRecipient)
    }
}

/// Seals a plaintext of 4096 bytes.
///
/// # Errors
/// When the plaintext has another length, the recipient is a weak key, or there is no randomness.
pub fn seal(recipient: Recipient, padded: &[u8], randomness: &dyn Randomness) -> Result<Vec<u8>, EnvelopeError> {
    if padded.len() != PLAINTEXT_LENGTH {
        return Err(EnvelopeError::TooLong);
    }
    write_file(&[recipient], padded, randomness)
}

/// Most that fits into one chunk of an age file.
const CHUNK: usize = 64 * 1024;

/// Writes an age file that each of the recipients opens alone. Its length follows from how many they are and from the
/// plaintext's, and tells nothing else.
pub(crate) fn write_file(
    recipients: &[Recipient],
    plaintext: &[u8],
    randomness: &dyn Randomness,
) -> Result<Vec<u8>, EnvelopeError> {
    if plaintext.len() > CHUNK {
        return Err(EnvelopeError::TooLong);
    }
    let file_key: Zeroizing<[u8; 16]> = Zeroizing::new(random_bytes(randomness)?);
    let mut header = String::from("age-encryption.org/v1\n");
    for recipient in recipients {
        let ephemeral = StaticSecret::from(random_bytes::<32>(randomness)?);
        let share = PublicKey::from(&ephemeral);
        let shared = ephemeral.diffie_hellman(&PublicKey::from(recipient.0));
        if !shared.was_contributory() {
            return Err(EnvelopeError::BadRecipient);
        }
        let salt = [share.as_bytes().as_slice(), &recipient.0].concat();
        let wrapping_key = derive(shared.as_bytes(), &salt, b"age-encryption.org/v1/X25519");
        let wrapped = encrypt(&wrapping_key, [0; 12], file_key.as_slice());
        let (share, wrapped) =
            (BASE64_STANDARD_NO_PAD.encode(share.as_bytes()), BASE64_STANDARD_NO_PAD.encode(wrapped));
        header.push_str(&format!("-> X25519 {share}\n{wrapped}\n"));
    }
    header.push_str("---");
    let nonce: [u8; 16] = random_bytes(randomness)?;
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(derive(file_key.as_slice(), &[], b"header").as_slice())
        .expect("HMAC takes keys of any length");
    mac.update(header.as_bytes());
    let mac = BASE64_STANDARD_NO_PAD.encode(mac.finalize().into_bytes());

    let mut file = format!("{header} {mac}\n").into_bytes();
    file.extend_from_slice(&nonce);
    // One chunk, the last: counter zero, flag one.
    let last = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    file.extend_from_slice(&encrypt(&derive(file_key.as_slice(), &nonce, b"payload"), last, plaintext));
    Ok(file)
}

/// Whether this can be an envelope: the size to the byte, and the header of one X25519 recipient.
#[must_use]
pub fn has_form(envelope: &[u8]) -> bool {
    let base64 = |bytes: &[u8]| bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    envelope.len() == ENVELOPE_LENGTH
        && envelope.starts_with(b"age-encryption.org/v1\n-> X25519 ")
        && base64(&envelope[32..75])
        && envelope[75] == b'\n'
        && base64(&envelope[76..119])
        && &envelope[119..124] == b"\n--- "
        && base64(&envelope[124..167])
        && envelope[167] == b'\n'
}

/// What an opened envelope holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Opened {
    /// The key of this one envelope; its header's MAC holds under it.
    pub file_key: FileKey,
    /// The plaintext, or nothing when the payload is damaged.
    pub plaintext: Option<Vec<u8>>,
}

/// The box key: opens every envelope. Made and kept offline, destroyed after the dispute period.
pub struct BoxKey(x25519::Identity);

impl BoxKey {
    /// A fresh key; age takes its randomness from the operating system.
    #[must_use]
    pub fn generate() -> Self {
        Self(x25519::Identity::generate())
    }

    /// The key to keep: `AGE-SECRET-KEY-1…`.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        self.0.to_string()
    }

    /// The recipient to publish: `age1…`.
    #[must_use]
    pub fn recipient(&self) -> String {
        self.0.to_public().to_string()
    }

    /// Opens an envelope.
    ///
    /// # Errors
    /// When it has not the form, was sealed to another key, or its header is damaged.
    pub fn open(&self, envelope: &[u8]) -> Result<Opened, EnvelopeError> {
        let kept = KeepFileKey { identity: &self.0, file_key: std::cell::Cell::new(None) };
        let plaintext = read(&kept, envelope)?;
        let file_key = kept.file_key.get().ok_or(EnvelopeError::Unopenable)?;
        Ok(Opened { file_key, plaintext })
    }
}

impl FromStr for BoxKey {
    type Err = EnvelopeError;

    fn from_str(text: &str) -> Result<Self, EnvelopeError> {
        x25519::Identity::from_str(text).map(Self).map_err(|_| EnvelopeError::BadRecipient)
    }
}

/// Opens one envelope with its published file key, as every verifier can.
///
/// # Errors
/// When the envelope has not the form or its header was not made with this key.
pub fn open_with_file_key(file_key: FileKey, envelope: &[u8]) -> Result<Opened, EnvelopeError> {
    let plaintext = read(&Known(file_key), envelope)?;
    Ok(Opened { file_key, plaintext })
}

fn read(identity: &dyn Identity, envelope: &[u8]) -> Result<Option<Vec<u8>>, EnvelopeError> {
    if !has_form(envelope) {
        return Err(EnvelopeError::BadForm);
    }
    let decryptor = Decryptor::new_buffered(envelope).map_err(|_| EnvelopeError::BadForm)?;
    let mut reader = decryptor.decrypt(std::iter::once(identity)).map_err(|_| EnvelopeError::Unopenable)?;
    let mut plaintext = Vec::with_capacity(PLAINTEXT_LENGTH);
    Ok(reader.read_to_end(&mut plaintext).is_ok().then_some(plaintext))
}

struct KeepFileKey<'a> {
    identity: &'a x25519::Identity,
    file_key: std::cell::Cell<Option<FileKey>>,
}

impl Identity for KeepFileKey<'_> {
    fn unwrap_stanza(
        &self,
        stanza: &age_core::format::Stanza,
    ) -> Option<Result<age_core::format::FileKey, DecryptError>> {
        let unwrapped = self.identity.unwrap_stanza(stanza);
        if let Some(Ok(file_key)) = &unwrapped {
            self.file_key.set(Some(Hex(*file_key.expose_secret())));
        }
        unwrapped
    }
}

struct Known(FileKey);

impl Identity for Known {
    fn unwrap_stanza(
        &self,
        _stanza: &age_core::format::Stanza,
    ) -> Option<Result<age_core::format::FileKey, DecryptError>> {
        Some(Ok(age_core::format::FileKey::new(Box::new(self.0.0))))
    }
}

fn derive(secret: &[u8], salt: &[u8], label: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(salt), secret)
        .expand(label, key.as_mut_slice())
        .expect("32 bytes are within HKDF's bound");
    key
}

fn encrypt(key: &[u8; 32], nonce: [u8; 12], plaintext: &[u8]) -> Vec<u8> {
    ChaCha20Poly1305::new(key.into())
        .encrypt(&nonce.into(), plaintext)
        .expect("an envelope is far below the cipher's bound")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{Exhausted, Seeded};

    fn sealed(content: &[u8]) -> (BoxKey, Vec<u8>) {
        let key = BoxKey::generate();
        let envelope = seal(key.recipient().parse().unwrap(), &pad(content).unwrap(), &Seeded::new(1)).unwrap();
        (key, envelope)
    }

    #[test]
    fn every_envelope_has_the_same_size_whatever_is_in_it() {
        for length in [0, 1, 1500, PLAINTEXT_LENGTH - 4] {
            let content = vec![7; length];
            let (key, envelope) = sealed(&content);
            assert_eq!(envelope.len(), ENVELOPE_LENGTH);
            let opened = key.open(&envelope).unwrap();
            assert_eq!(unpad(opened.plaintext.as_deref().unwrap()), Some(content.as_slice()));
            assert_eq!(open_with_file_key(opened.file_key, &envelope).unwrap(), opened);
        }
        assert_eq!(pad(&[0; PLAINTEXT_LENGTH - 3]), Err(EnvelopeError::TooLong));
    }

    #[test]
    fn a_damaged_payload_is_provably_damaged_and_a_damaged_header_is_unopenable() {
        let (key, envelope) = sealed(b"ballot");
        let mut payload = envelope.clone();
        payload[4000] ^= 1;
        let opened = key.open(&payload).unwrap();
        assert_eq!(opened.plaintext, None);
        assert_eq!(open_with_file_key(opened.file_key, &payload).unwrap(), opened);

        let mut stanza = envelope.clone();
        stanza[80] = if stanza[80] == b'A' { b'B' } else { b'A' };
        assert_eq!(key.open(&stanza), Err(EnvelopeError::Unopenable));
        assert_eq!(BoxKey::generate().open(&envelope), Err(EnvelopeError::Unopenable));
        assert_eq!(open_with_file_key(Hex([0; 16]), &envelope), Err(EnvelopeError::Unopenable));
    }

    #[test]
    fn a_bad_recipient_is_refused() {
        let good = BoxKey::generate().recipient();
        let flipped = format!("{}{}", &good[..good.len() - 1], if good.ends_with('q') { 'p' } else { 'q' });
        // The last is the all-zero point: whatever is sealed to it, everybody can open.
        let zero = bech32::encode::<bech32::Bech32>(bech32::Hrp::parse("age").unwrap(), &[0; 32]).unwrap();
        for bad in ["", "age1", "age1qqqq", &flipped, &good.replace("age1", "ege1")] {
            assert_eq!(bad.parse::<Recipient>(), Err(EnvelopeError::BadRecipient), "{bad}");
        }
        let padded = pad(b"").unwrap();
        assert_eq!(seal(zero.parse().unwrap(), &padded, &Seeded::new(1)), Err(EnvelopeError::BadRecipient));
        assert_eq!(seal(good.parse().unwrap(), &padded, &Exhausted), Err(EnvelopeError::NoRandomness(NoRandomness)));
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_refused_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..5000), at in 0..ENVELOPE_LENGTH, flip in 1..=255u8) {
            prop_assert!(!has_form(&bytes));
            let (key, envelope) = sealed(b"ballot");
            prop_assert!(key.open(&bytes).is_err());
            prop_assert!(unpad(&bytes).is_none());
            let mut changed = envelope;
            changed[at] ^= flip;
            if let Ok(opened) = key.open(&changed) {
                prop_assert!(opened.plaintext.is_none(), "a changed envelope opened at {at}");
            }
        }

        #[test]
        fn padding_comes_off_as_it_went_on(content in proptest::collection::vec(any::<u8>(), 0..=PLAINTEXT_LENGTH - 4), at in 0..PLAINTEXT_LENGTH) {
            let mut padded = pad(&content).unwrap();
            prop_assert_eq!(unpad(&padded), Some(content.as_slice()));
            if at >= content.len() + 4 {
                padded[at] = 1;
                prop_assert_eq!(unpad(&padded), None);
            }
        }
    }
}
