//! The platforms' encryption of what they push (WXBizMsgCrypt): AES-256-CBC with a padding of its own, and a signature over
//! the encrypted text.

use aes::cipher::{BlockDecryptMut as _, BlockEncryptMut as _, KeyIvInit as _, block_padding::NoPadding};
use base64::{
    Engine as _,
    alphabet::STANDARD as ALPHABET,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};

/// The padding fills blocks of 32 bytes, although the cipher's have 16.
const PADDED_TO: usize = 32;
const CIPHER_BLOCK: usize = 16;
/// 16 random bytes and the length of the message.
const HEAD: usize = 20;

/// Keys of 43 letters carry bits beyond their 32 bytes: the usual decoder refuses most of them.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One key, and whom its messages are for: the account's or the corporation's id.
#[derive(Clone)]
pub struct PushCipher {
    key: [u8; 32],
    receiver: String,
}

impl std::fmt::Debug for PushCipher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PushCipher")
    }
}

impl PushCipher {
    /// `encoded` is the `EncodingAESKey` of the platform's console: 43 letters and digits. None for anything else.
    #[must_use]
    pub fn new(encoded: &str, receiver: &str) -> Option<Self> {
        if encoded.len() != 43 || !encoded.bytes().all(|letter| letter.is_ascii_alphanumeric()) {
            return None;
        }
        let key = LENIENT.decode(encoded).ok()?.try_into().ok()?;
        Some(Self { key, receiver: receiver.to_owned() })
    }

    /// The message inside; none whatever is wrong with it.
    #[must_use]
    pub fn open(&self, encrypted: &str) -> Option<String> {
        let mut frame = STANDARD.decode(encrypted).ok()?;
        if frame.len() < PADDED_TO || !frame.len().is_multiple_of(CIPHER_BLOCK) {
            return None;
        }
        let cipher = cbc::Decryptor::<aes::Aes256>::new(&self.key.into(), self.key[..CIPHER_BLOCK].into());
        let frame = cipher.decrypt_padded_mut::<NoPadding>(&mut frame).ok()?;
        let padding = usize::from(*frame.last()?);
        if !(1..=PADDED_TO).contains(&padding) || padding > frame.len() {
            return None;
        }
        let (frame, filling) = frame.split_at(frame.len() - padding);
        if filling.iter().any(|byte| usize::from(*byte) != padding) {
            return None;
        }
        let (head, rest) = frame.split_at_checked(HEAD)?;
        let length = u32::from_be_bytes(head[16..].try_into().ok()?);
        let (message, receiver) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        (receiver == self.receiver.as_bytes()).then(|| String::from_utf8(message.to_vec()).ok())?
    }

    /// A message for the platform; `salt` makes equal messages look unlike.
    ///
    /// # Panics
    /// Never for messages below four gigabytes.
    #[must_use]
    pub fn seal(&self, message: &str, salt: [u8; 16]) -> String {
        let length = u32::try_from(message.len()).expect("messages are short");
        let mut frame = salt.to_vec();
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(message.as_bytes());
        frame.extend_from_slice(self.receiver.as_bytes());
        let padding = PADDED_TO - frame.len() % PADDED_TO;
        frame.resize(frame.len() + padding, u8::try_from(padding).expect("at most 32"));
        let cipher = cbc::Encryptor::<aes::Aes256>::new(&self.key.into(), self.key[..CIPHER_BLOCK].into());
        STANDARD.encode(cipher.encrypt_padded_vec_mut::<NoPadding>(&frame))
    }
}

/// The signature over an encrypted text: SHA-1 of the four strings in order.
#[must_use]
pub fn signature(token: &str, timestamp: &str, nonce: &str, encrypted: &str) -> String {
    let mut parts = [token, timestamp, nonce, encrypted];
    parts.sort_unstable();
    sha1_smol::Sha1::from(parts.concat()).digest().to_string()
}

/// Compared to the end, so that the time taken tells nothing.
#[must_use]
pub fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len()
        && one.bytes().zip(other.bytes()).fold(0, |unlike, (one, other)| unlike | (one ^ other)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last letter carries bits that are no part of the key.
    const KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";

    fn cipher() -> PushCipher {
        PushCipher::new(KEY, "wx5823bf96d3bd56c7").unwrap()
    }

    #[test]
    fn every_length_opens_again_and_fills_blocks_of_32() {
        for length in 0..70 {
            let message = "a".repeat(length);
            let sealed = cipher().seal(&message, [7; 16]);
            let bytes = STANDARD.decode(&sealed).unwrap().len();
            let content = 16 + 4 + length + 18;
            assert_eq!(bytes, (content / 32 + 1) * 32, "a whole block more when it is full already");
            assert_eq!(cipher().open(&sealed).as_deref(), Some(message.as_str()));
        }
        let chinese = "<xml>路灯😀</xml>";
        assert_eq!(cipher().open(&cipher().seal(chinese, [1; 16])).as_deref(), Some(chinese));
        assert_ne!(cipher().seal(chinese, [1; 16]), cipher().seal(chinese, [2; 16]));
    }

    #[test]
    fn what_was_changed_or_is_for_another_does_not_open() {
        let sealed = cipher().seal("<xml>甲</xml>", [3; 16]);
        assert_eq!(PushCipher::new(KEY, "wx-other").unwrap().open(&sealed), None);
        assert_eq!(PushCipher::new(&KEY.replace('j', "k"), "wx5823bf96d3bd56c7").unwrap().open(&sealed), None);
        let mut bytes = STANDARD.decode(&sealed).unwrap();
        for cut in 0..bytes.len() {
            assert_eq!(cipher().open(&STANDARD.encode(&bytes[..cut])), None, "{cut}");
        }
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        assert_eq!(cipher().open(&STANDARD.encode(&bytes)), None);
        for nonsense in ["", "====", "not base64", "AAAAAAAAAAAAAAAAAAAAAA=="] {
            assert_eq!(cipher().open(nonsense), None);
        }
    }

    #[test]
    fn only_keys_of_the_platforms_shape_are_taken() {
        for wrong in ["", &KEY[1..], &format!("{KEY}a"), &KEY.replace('j', "+")] {
            assert!(PushCipher::new(wrong, "wx").is_none(), "{wrong}");
        }
    }
}
