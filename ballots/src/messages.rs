//! The exact bytes that are signed (survey protocol §4). Each begins with a name of its own, so that no signature can be
//! taken for another.

use crate::{Hex, canonical::sha256};

/// A survey's random name.
pub type SurveyId = Hex<16>;

/// What both authorities blindly sign: "this ballot key belongs to somebody entitled".
#[must_use]
pub fn credential(survey: &SurveyId, ballot_key: &Hex<32>) -> Vec<u8> {
    [b"bbk1/cred\0", survey.as_slice(), ballot_key.as_slice()].concat()
}

/// What the platform blindly signs: "this tag may drop envelopes into the box".
#[must_use]
pub fn drop_tag(survey: &SurveyId, tag: &Hex<32>) -> Vec<u8> {
    [b"bbk1/drop\0", survey.as_slice(), tag.as_slice()].concat()
}

/// What a ballot key signs.
#[must_use]
pub fn ballot(survey: &SurveyId, ballot_key: &Hex<32>, sequence: u32, answers: &Hex<32>) -> Vec<u8> {
    let sequence = sequence.to_be_bytes();
    [b"bbk1/ballot\0", survey.as_slice(), ballot_key.as_slice(), sequence.as_slice(), answers.as_slice()].concat()
}

/// What a tag signs: this envelope, as this revision.
#[must_use]
pub fn envelope(survey: &SurveyId, tag: &Hex<32>, sequence: u32, envelope: &Hex<32>) -> Vec<u8> {
    let sequence = sequence.to_be_bytes();
    [b"bbk1/env\0", survey.as_slice(), tag.as_slice(), sequence.as_slice(), envelope.as_slice()].concat()
}

/// What a resident's enrolled device signs when it asks for a credential: `H(a||d)` at the platform, `H(b)` at the
/// co-signer, so that neither can ask in the name of somebody who did not.
#[must_use]
pub fn request(survey: &SurveyId, blinded: &[&[u8]]) -> Vec<u8> {
    [b"bbk1/req\0", survey.as_slice(), sha256(blinded).as_slice()].concat()
}

/// What a phone signs when its owner enrols it with her card: this device belongs to this card.
#[must_use]
pub fn enrolment(code_hash: &Hex<32>, device: &Hex<32>) -> Vec<u8> {
    [b"bbk1/enrol\0", code_hash.as_slice(), device.as_slice()].concat()
}

/// What an authority signs when it asks the other: this method, path with query, and body.
#[must_use]
pub fn operator_request(method: &str, path_and_query: &str, body: &[u8]) -> Vec<u8> {
    let body = sha256(&[body]);
    [b"bbk1/op\0", method.as_bytes(), b" ", path_and_query.as_bytes(), b"\0", body.as_slice()].concat()
}

/// A resident's secret for the audit of the roll, hashed: what the roll keeps.
#[must_use]
pub fn audit_commitment(secret: &Hex<32>) -> Hex<32> {
    sha256(&[b"bbk1/aud\0", secret.as_slice()])
}

/// A paper slip's two keys sign that nobody drew it.
#[must_use]
pub fn unused_slip(survey: &SurveyId, ballot_key: &Hex<32>, tag: &Hex<32>) -> Vec<u8> {
    [b"bbk1/unused\0".as_slice(), survey.as_slice(), ballot_key.as_slice(), tag.as_slice()].concat()
}

/// A resident's leaf in the published roll of one survey: only who knows the secret finds it.
#[must_use]
pub fn roll_leaf(survey: &SurveyId, commitment: &Hex<32>) -> Hex<32> {
    sha256(&[b"bbk1/roll\0", survey.as_slice(), commitment.as_slice()])
}

/// Eight, twelve, … characters to compare by eye or over the telephone: Crockford's base 32, without I, L, O and U.
#[must_use]
pub fn readable_code(hash: &Hex<32>, characters: usize) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    (0..characters.min(51))
        .map(|character| {
            let value = (0..5).fold(0, |value, bit| {
                let position = character * 5 + bit;
                value << 1 | usize::from(hash.0[position / 8] >> (7 - position % 8) & 1)
            });
            char::from(ALPHABET[value])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_leading_bits_in_crockfords_alphabet() {
        let mut hash = Hex([0; 32]);
        hash.0[..5].copy_from_slice(&[0b0000_0000, 0b0100_0100, 0b0011_0010, 0b0001_0100, 0b1111_1111]);
        assert_eq!(readable_code(&hash, 8), "0123457Z");
        assert_eq!(readable_code(&Hex([0xff; 32]), 12), "Z".repeat(12));
        assert_eq!(readable_code(&hash, 100).len(), 51);
    }
}
