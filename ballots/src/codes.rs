//! Codes that are printed on paper and typed or scanned: 登记卡 (cards) and 纸票 (slips). The reporter's code of a sealed report has
//! the same form.
//!
//! Twenty characters of Crockford's base 32 (100 bits) and a check character. Nobody keeps them: what they stand for is
//! derived from them.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    Hex,
    canonical::sha256,
    messages::SurveyId,
    randomness::{NoRandomness, Randomness},
};

/// Characters before the check character.
pub const CODE_LENGTH: usize = 20;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The twenty characters, without the check character.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Code([u8; CODE_LENGTH]);

impl std::fmt::Debug for Code {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Code")
    }
}

/// Why typed characters are no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCode {
    #[error("not twenty-one characters of the alphabet")]
    Form,
    #[error("the check character does not fit: a character was mistaken")]
    Check,
}

impl Code {
    /// A fresh code.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn generate(randomness: &dyn Randomness) -> Result<Self, NoRandomness> {
        let mut code = [0; CODE_LENGTH];
        randomness.fill(&mut code)?;
        // 256 is a multiple of 32: every character is equally likely.
        for byte in &mut code {
            *byte = ALPHABET[usize::from(*byte % 32)];
        }
        Ok(Self(code))
    }

    /// Reads what somebody typed: case, spaces and dashes do not matter, I and L are 1, O is 0.
    ///
    /// # Errors
    /// When the form is wrong or the check character does not fit.
    pub fn parse(text: &str) -> Result<Self, BadCode> {
        let mut characters = Zeroizing::new(Vec::with_capacity(CODE_LENGTH + 1));
        for character in text.chars().filter(|character| !matches!(character, '-' | ' ')) {
            let character = match character.to_ascii_uppercase() {
                'I' | 'L' => '1',
                'O' => '0',
                other => other,
            };
            let byte = u8::try_from(character).map_err(|_| BadCode::Form)?;
            if !ALPHABET.contains(&byte) || characters.len() > CODE_LENGTH {
                return Err(BadCode::Form);
            }
            characters.push(byte);
        }
        let (code, check) = characters.split_first_chunk::<CODE_LENGTH>().ok_or(BadCode::Form)?;
        let code = Self(*code);
        match check {
            [check] if *check == code.check_character() => Ok(code),
            [_] => Err(BadCode::Check),
            _ => Err(BadCode::Form),
        }
    }

    /// Luhn modulo 32: notices every wrong character and nearly every swap of neighbours.
    fn check_character(&self) -> u8 {
        let sum: usize = self
            .0
            .iter()
            .rev()
            .enumerate()
            .map(|(place, character)| {
                let value = ALPHABET.iter().position(|known| known == character).unwrap_or_default();
                let value = if place % 2 == 0 { value * 2 } else { value };
                value / 32 + value % 32
            })
            .sum();
        ALPHABET[(32 - sum % 32) % 32]
    }

    /// As it is printed: XXXXX-XXXXX-XXXXX-XXXXX-C.
    #[must_use]
    pub fn to_print(&self) -> Zeroizing<String> {
        let mut printed = Zeroizing::new(String::with_capacity(CODE_LENGTH + 5));
        for group in self.0.chunks(5) {
            printed.extend(group.iter().map(|byte| char::from(*byte)));
            printed.push('-');
        }
        printed.push(char::from(self.check_character()));
        printed
    }

    /// SHA-256 of the twenty characters: by it the co-signer finds the card without keeping the code.
    #[must_use]
    pub fn hash(&self) -> Hex<32> {
        sha256(&[&self.0])
    }

    /// A card's secret: who knows it finds her leaf in the rolls.
    #[must_use]
    pub fn card_secret(&self) -> Hex<32> {
        Hex(self.derive(b"bbk1/card"))
    }

    /// A paper slip's seeds: of the ballot key and of the tag key.
    #[must_use]
    pub fn slip_seeds(&self, survey: &SurveyId) -> Zeroizing<[[u8; 32]; 2]> {
        let seeds: Zeroizing<[u8; 64]> = Zeroizing::new(self.derive(&[b"bbk1/paper", survey.as_slice()].concat()));
        let mut halves = Zeroizing::new([[0; 32]; 2]);
        halves[0].copy_from_slice(&seeds[..32]);
        halves[1].copy_from_slice(&seeds[32..]);
        halves
    }

    /// What a sealed report is looked up by. It says nothing about the code, nor about the key of the answers.
    #[must_use]
    pub fn report_lookup(&self) -> Hex<32> {
        Hex(self.derive(b"qfr1/lookup"))
    }

    /// The secret key to which the answers to a sealed report are sealed.
    #[must_use]
    pub fn report_reply_secret(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.derive(b"qfr1/reply"))
    }

    fn derive<const LENGTH: usize>(&self, label: &[u8]) -> [u8; LENGTH] {
        let mut derived = [0; LENGTH];
        Hkdf::<Sha256>::new(None, &self.0).expand(label, &mut derived).expect("64 bytes are within HKDF's bound");
        derived
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{Exhausted, Seeded};

    /// Worked out by hand: the values from the right, every second doubled, digits of base 32 added.
    #[test]
    fn the_check_character_is_luhn_modulo_32() {
        assert_eq!(Code(*b"0123456789ABCDEFGHJK").to_print().as_str(), "01234-56789-ABCDE-FGHJK-W");
        assert_eq!(Code(*b"00000000000000000000").to_print().as_str(), "00000-00000-00000-00000-0");
        assert_eq!(Code(*b"00000000000000000001").to_print().as_str(), "00000-00000-00000-00001-Y");
    }

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = Code(*b"0123456789ABCDEFGHJK");
        for typed in
            ["01234-56789-ABCDE-FGHJK-W", "o1234 56789 abcde fghjk w", "OL23456789abcdefghjkw", "Oi23456789abcdefghjkw"]
        {
            assert_eq!(Code::parse(typed), Ok(code.clone()), "{typed}");
        }
        for bad in
            ["", "01234", "01234-56789-ABCDE-FGHJK", "01234-56789-ABCDE-FGHJK-WW", "U1234-56789-ABCDE-FGHJK-W", "票"]
        {
            assert_eq!(Code::parse(bad), Err(BadCode::Form), "{bad}");
        }
    }

    #[test]
    fn different_purposes_and_surveys_have_different_secrets() {
        let code = Code::generate(&Seeded::new(1)).unwrap();
        let seeds = code.slip_seeds(&Hex([1; 16]));
        assert_ne!(seeds[0], seeds[1]);
        assert_ne!(*seeds, *code.slip_seeds(&Hex([2; 16])));
        assert_ne!(code.card_secret().0, seeds[0]);
        assert_ne!(code.report_lookup().0, *code.report_reply_secret());
        assert_eq!(Code::generate(&Exhausted), Err(NoRandomness));
    }

    proptest! {
        #[test]
        fn a_printed_code_is_read_back_and_one_wrong_character_is_noticed(seed: u64, at in 0..=CODE_LENGTH, other in 0..32usize) {
            let code = Code::generate(&Seeded::new(seed)).unwrap();
            let printed = code.to_print().replace('-', "");
            prop_assert_eq!(Code::parse(&printed), Ok(code));
            let mut changed = printed.clone().into_bytes();
            changed[at] = ALPHABET[other];
            if changed != printed.as_bytes() {
                prop_assert_eq!(Code::parse(&String::from_utf8(changed).unwrap()), Err(BadCode::Check));
            }
        }

        #[test]
        fn hostile_text_is_refused_and_never_panics(text: String) {
            let _ = Code::parse(&text);
        }
    }
}
