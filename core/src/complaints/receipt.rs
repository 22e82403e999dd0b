use std::time::Duration;

use crate::{
    people::{CodeDigest, PaperCodes, sign_in::UNAMBIGUOUS},
    randomness::Randomness,
    refusal::{Refusal, RefusalKind},
};

/// How often codes are looked up from one place. A village shares one address: room for everybody, none for guessing 2^59 codes.
pub const RECEIPT_LOOKS: u32 = 120;
pub const RECEIPT_LOOKS_WINDOW: Duration = Duration::from_secs(10 * 60);

/// Characters that carry randomness: 31^12 is about 2^59 codes.
const SECRET_LENGTH: usize = 12;

/// The code on a paper receipt: whoever holds it follows and rates that one complaint. Kept only as a digest.
#[derive(Clone, PartialEq, Eq)]
pub struct ReceiptCode(String);

impl std::fmt::Debug for ReceiptCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ReceiptCode")
    }
}

impl ReceiptCode {
    #[must_use]
    pub fn generate(randomness: &dyn Randomness) -> Self {
        let secret: Vec<usize> =
            (0..SECRET_LENGTH).map(|_| randomness.below(UNAMBIGUOUS.len() as u32) as usize).collect();
        let check = check_character(&secret);
        Self(secret.iter().chain([&check]).map(|index| char::from(UNAMBIGUOUS[*index])).collect())
    }

    /// Reads a code as people type it: lower case, with spaces and dashes. A slip of one character or of two neighbours
    /// is noticed without asking the database.
    ///
    /// # Errors
    /// When it is no code.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let unknown =
            || Refusal::new(RefusalKind::NotFound, "receipt_unknown", "没有这个回执码，请对照回执单再输入一次。");
        let typed: String = text
            .chars()
            .filter(|letter| !letter.is_whitespace() && *letter != '-')
            .map(|letter| letter.to_ascii_uppercase())
            .collect();
        let indexes: Option<Vec<usize>> =
            typed.bytes().map(|byte| UNAMBIGUOUS.iter().position(|known| *known == byte)).collect();
        let indexes = indexes.filter(|indexes| indexes.len() == SECRET_LENGTH + 1).ok_or_else(unknown)?;
        let (secret, check) = indexes.split_at(SECRET_LENGTH);
        if check_character(secret) != check[0] {
            return Err(unknown());
        }
        Ok(Self(typed))
    }

    /// As printed: groups that are easy to read out.
    #[must_use]
    pub fn printed(&self) -> String {
        let letters: Vec<char> = self.0.chars().collect();
        letters.chunks(4).map(|chunk| chunk.iter().collect::<String>()).collect::<Vec<_>>().join("-")
    }

    /// What the database holds of it.
    #[must_use]
    pub fn digest(&self, codes: &PaperCodes) -> CodeDigest {
        codes.digest(format!("qingfeng receipt v1{}", self.0).as_bytes())
    }
}

/// Weighted sum modulo a prime: notices every single slip and every swap of neighbours.
fn check_character(secret: &[usize]) -> usize {
    secret.iter().zip(1_usize..).map(|(index, weight)| index * weight).sum::<usize>() % UNAMBIGUOUS.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::randomness::SeededRandomness;

    proptest! {
        #[test]
        fn a_code_is_read_back_however_it_is_typed(seed: u64) {
            let code = ReceiptCode::generate(&SeededRandomness::new(seed));
            prop_assert_eq!(ReceiptCode::parse(&code.printed().to_lowercase()).unwrap(), code);
        }

        #[test]
        fn a_slip_of_one_character_is_noticed(seed: u64, place in 0_usize..13, other in 0_usize..31) {
            let code = ReceiptCode::generate(&SeededRandomness::new(seed));
            let mut typed: Vec<u8> = code.0.clone().into_bytes();
            prop_assume!(typed[place] != UNAMBIGUOUS[other]);
            typed[place] = UNAMBIGUOUS[other];
            prop_assert!(ReceiptCode::parse(std::str::from_utf8(&typed).unwrap()).is_err());
        }
    }
}
