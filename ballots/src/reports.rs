//! The envelope of a sealed report (检举控告), format "qfr1": what the reporter's phone makes, the disciplinary officers open, and
//! the server between them cannot.
//!
//! An envelope is an age v1 file around a plaintext of always 16384 bytes, `u32 length || JSON || zero bytes`, with one X25519
//! stanza for each recipient and nothing else in its header; any age program opens it. Reports, additions and answers look alike.
//! What each holds, and what follows from the reporter's code, stands in `docs/decisions/0010-sealed-reports.md`.

use std::{io::Read, str::FromStr};

use age::{Decryptor, Identity, secrecy::ExposeSecret as _, x25519};
use bech32::{Bech32, Hrp};
use zeroize::Zeroizing;

use crate::{
    codes::Code,
    envelope::{EnvelopeError, Recipient, pad_to, unpad_from, write_file},
    randomness::Randomness,
};

/// Room for some five thousand Chinese characters.
pub const PLAINTEXT_LENGTH: usize = 16384;
/// Officers of an office, and the reporter.
pub const MOST_RECIPIENTS: usize = 17;

const FIRST_LINE: &[u8] = b"age-encryption.org/v1\n";
/// `-> X25519 `, 43 characters, a line end, 43 characters, a line end.
const STANZA: usize = 98;
/// `--- `, 43 characters, a line end.
const LAST_LINE: usize = 48;
/// Nonce and authenticator of the payload.
const AROUND_PAYLOAD: usize = 32;

/// For how many recipients this was sealed, if it can be an envelope: size to the byte and form of the header. Whether anybody can
/// open it only a recipient sees.
#[must_use]
pub fn recipients(envelope: &[u8]) -> Option<usize> {
    let fixed = FIRST_LINE.len() + LAST_LINE + AROUND_PAYLOAD + PLAINTEXT_LENGTH;
    let stanzas = envelope.len().checked_sub(fixed)?;
    let count = stanzas / STANZA;
    if stanzas % STANZA != 0 || !(1..=MOST_RECIPIENTS).contains(&count) {
        return None;
    }
    let rest = envelope.strip_prefix(FIRST_LINE)?;
    let (stanzas, rest) = rest.split_at(stanzas);
    let base64 = |bytes: &[u8]| bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    let is_stanza = |line: &[u8]| {
        line.starts_with(b"-> X25519 ")
            && base64(&line[10..53])
            && line[53] == b'\n'
            && base64(&line[54..97])
            && line[97] == b'\n'
    };
    let is_last = rest.starts_with(b"--- ") && base64(&rest[4..47]) && rest[47] == b'\n';
    (stanzas.chunks(STANZA).all(is_stanza) && is_last).then_some(count)
}

/// Seals a content to all of them.
///
/// # Errors
/// When it is too long, there are none or too many recipients, one is a weak key, or there is no randomness.
pub fn seal(recipients: &[Recipient], content: &[u8], randomness: &dyn Randomness) -> Result<Vec<u8>, EnvelopeError> {
    if !(1..=MOST_RECIPIENTS).contains(&recipients.len()) {
        return Err(EnvelopeError::BadRecipient);
    }
    write_file(recipients, &pad_to(PLAINTEXT_LENGTH, content)?, randomness)
}

/// A key that opens envelopes: an officer's, or the one that follows from a reporter's code.
pub struct ReportKey(x25519::Identity);

impl ReportKey {
    /// A fresh key; age takes its randomness from the operating system.
    #[must_use]
    pub fn generate() -> Self {
        Self(x25519::Identity::generate())
    }

    /// The key to which answers are sealed for whoever has this code.
    #[must_use]
    pub fn of_code(code: &Code) -> Self {
        let word = Hrp::parse("AGE-SECRET-KEY-")
            .ok()
            .and_then(|prefix| bech32::encode_upper::<Bech32>(prefix, code.report_reply_secret().as_slice()).ok())
            .map(Zeroizing::new);
        let identity = word.and_then(|word| x25519::Identity::from_str(&word).ok());
        Self(identity.expect("any 32 bytes are an X25519 key"))
    }

    /// The key to keep: `AGE-SECRET-KEY-1…`.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.to_string().expose_secret().to_owned())
    }

    /// The public half: `age1…`.
    #[must_use]
    pub fn recipient(&self) -> String {
        self.0.to_public().to_string()
    }

    /// The content of an envelope.
    ///
    /// # Errors
    /// When it has not the form, was sealed to others, or is damaged.
    pub fn open(&self, envelope: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
        recipients(envelope).ok_or(EnvelopeError::BadForm)?;
        let decryptor = Decryptor::new_buffered(envelope).map_err(|_| EnvelopeError::BadForm)?;
        let identity: &dyn Identity = &self.0;
        let mut reader = decryptor.decrypt(std::iter::once(identity)).map_err(|_| EnvelopeError::Unopenable)?;
        let mut padded = Vec::with_capacity(PLAINTEXT_LENGTH);
        reader.read_to_end(&mut padded).map_err(|_| EnvelopeError::Unopenable)?;
        unpad_from(PLAINTEXT_LENGTH, &padded).map(<[u8]>::to_vec).ok_or(EnvelopeError::BadForm)
    }
}

impl FromStr for ReportKey {
    type Err = EnvelopeError;

    fn from_str(text: &str) -> Result<Self, EnvelopeError> {
        x25519::Identity::from_str(text).map(Self).map_err(|_| EnvelopeError::BadRecipient)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::Seeded;

    fn recipient(key: &ReportKey) -> Recipient {
        key.recipient().parse().unwrap()
    }

    #[test]
    fn each_recipient_opens_it_alone_and_nobody_else_does() {
        let keys = [ReportKey::generate(), ReportKey::generate(), ReportKey::generate()];
        let to: Vec<_> = keys.iter().map(recipient).collect();
        let envelope = seal(&to, "收了钱".as_bytes(), &Seeded::new(1)).unwrap();
        assert_eq!(recipients(&envelope), Some(3));
        for key in &keys {
            assert_eq!(key.open(&envelope).unwrap(), "收了钱".as_bytes());
        }
        assert_eq!(ReportKey::generate().open(&envelope), Err(EnvelopeError::Unopenable));
        let again: ReportKey = keys[1].to_text().parse().unwrap();
        assert!(again.open(&envelope).is_ok());
    }

    #[test]
    fn the_size_says_nothing_of_what_is_in_it() {
        let key = ReportKey::generate();
        for length in [0, 1, 9000, PLAINTEXT_LENGTH - 4] {
            let envelope = seal(&[recipient(&key)], &vec![7; length], &Seeded::new(1)).unwrap();
            assert_eq!(envelope.len(), 16584);
            assert_eq!(key.open(&envelope).unwrap().len(), length);
        }
        let too_long = vec![7; PLAINTEXT_LENGTH - 3];
        assert_eq!(seal(&[recipient(&key)], &too_long, &Seeded::new(1)), Err(EnvelopeError::TooLong));
        assert_eq!(seal(&[], b"", &Seeded::new(1)), Err(EnvelopeError::BadRecipient));
        let crowd = vec![recipient(&key); MOST_RECIPIENTS + 1];
        assert_eq!(seal(&crowd, b"", &Seeded::new(1)), Err(EnvelopeError::BadRecipient));
    }

    #[test]
    fn the_same_code_opens_the_answers_again() {
        let code = Code::generate(&Seeded::new(5)).unwrap();
        let envelope = seal(&[recipient(&ReportKey::of_code(&code))], b"answer", &Seeded::new(1)).unwrap();
        let typed = Code::parse(&code.to_print()).unwrap();
        assert_eq!(ReportKey::of_code(&typed).open(&envelope).unwrap(), b"answer");
        let other = Code::generate(&Seeded::new(6)).unwrap();
        assert_eq!(ReportKey::of_code(&other).open(&envelope), Err(EnvelopeError::Unopenable));
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_refused_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..20000), at in 0..16584usize, flip in 1..=255u8) {
            prop_assert_eq!(recipients(&bytes), None);
            let key = ReportKey::generate();
            prop_assert!(key.open(&bytes).is_err());
            let mut changed = seal(&[recipient(&key)], b"report", &Seeded::new(2)).unwrap();
            changed[at] ^= flip;
            let _ = recipients(&changed);
            prop_assert!(key.open(&changed).is_err(), "a changed envelope opened at {}", at);
        }
    }
}
