//! How the platform encrypts what it pushes, and opens what comes back.

use aes::cipher::{BlockDecryptMut as _, BlockEncryptMut as _, KeyIvInit as _, block_padding::NoPadding};
use base64::{
    Engine as _, alphabet,
    engine::{
        GeneralPurpose, GeneralPurposeConfig,
        general_purpose::{NO_PAD, STANDARD},
    },
};

const BLOCK: usize = 32;

/// 43 letters are 258 bits; the last two belong to nothing.
fn key(encoded: &str) -> Option<[u8; 32]> {
    let config: GeneralPurposeConfig = NO_PAD.with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&alphabet::STANDARD, config).decode(encoded).ok()?.try_into().ok()
}

/// What a forged frame has wrong inside.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    Receiver,
    Length,
    Padding,
}

/// # Panics
/// When the key of the settings is none.
pub(crate) fn seal(encoded: &str, receiver: &str, message: &str) -> String {
    seal_with(encoded, receiver, message, None)
}

/// As [`seal`], honestly or not.
pub(crate) fn seal_with(encoded: &str, receiver: &str, message: &str, flaw: Option<Flaw>) -> String {
    let key = key(encoded).expect("keys in settings have 43 letters");
    let mut length = u32::try_from(message.len()).expect("messages are short");
    if flaw == Some(Flaw::Length) {
        length = u32::MAX - 7;
    }
    let receiver = if flaw == Some(Flaw::Receiver) { "wxsomebodyelse00001" } else { receiver };
    let salt: [u8; 16] = rand::random();
    let mut frame = [&salt[..], &length.to_be_bytes()[..], message.as_bytes(), receiver.as_bytes()].concat();
    let padding = BLOCK - frame.len() % BLOCK;
    frame.extend(std::iter::repeat_n(u8::try_from(padding).expect("at most 32"), padding));
    if let Some(last) = frame.last_mut().filter(|_| flaw == Some(Flaw::Padding)) {
        *last = 0;
    }
    let cipher = cbc::Encryptor::<aes::Aes256>::new(&key.into(), key[..16].into());
    STANDARD.encode(cipher.encrypt_padded_vec_mut::<NoPadding>(&frame))
}

/// None for whatever the platform would not understand.
pub(crate) fn open(encoded: &str, receiver: &str, encrypted: &str) -> Option<String> {
    let key = key(encoded)?;
    let frame = STANDARD.decode(encrypted).ok()?;
    let cipher = cbc::Decryptor::<aes::Aes256>::new(&key.into(), key[..16].into());
    let mut frame = cipher.decrypt_padded_vec_mut::<NoPadding>(&frame).ok()?;
    let padding = usize::from(*frame.last()?);
    // An honest frame fills whole blocks.
    if !(1..=BLOCK).contains(&padding) || !frame.len().is_multiple_of(BLOCK) {
        return None;
    }
    frame.truncate(frame.len() - padding);
    let length = u32::from_be_bytes(frame.get(16..20)?.try_into().ok()?) as usize;
    let message = frame.get(20..20 + length)?.to_vec();
    (&frame[20 + length..] == receiver.as_bytes()).then(|| String::from_utf8(message).ok())?
}

/// The sorted strings, one after the other, as SHA-1 in lower-case hexadecimal.
pub(crate) fn signature(mut parts: Vec<&str>) -> String {
    parts.sort_unstable();
    sha1_smol::Sha1::from(parts.concat()).digest().to_string()
}
