use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A score or a share before it is rounded.
pub type Exact = BigRational;

/// The whole of a [`Share`].
pub(super) const WHOLE: u16 = 10_000;

/// A part of one, in ten-thousandths: weights, quorums, thresholds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(transparent)]
#[schema(value_type = u16, example = 4000)]
pub struct Share(pub u16);

impl Share {
    pub const ALL: Self = Self(WHOLE);

    /// From a fraction of one as plan files write it; more decimals than four are rounded.
    #[must_use]
    pub fn of_one(fraction: f64) -> Option<Self> {
        let parts = (fraction * f64::from(WHOLE)).round();
        // In range, so that nothing is cut off; not a number is in no range.
        if (0.0..=f64::from(WHOLE)).contains(&parts) { Some(Self(parts as u16)) } else { None }
    }

    #[must_use]
    pub fn exact(self) -> Exact {
        Exact::new(BigInt::from(self.0), BigInt::from(WHOLE))
    }
}

/// In per cent, without needless zeros.
impl std::fmt::Display for Share {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match (rest, rest % 10) {
            (0, _) => write!(formatter, "{whole}%"),
            (_, 0) => write!(formatter, "{whole}.{}%", rest / 10),
            _ => write!(formatter, "{whole}.{rest:02}%"),
        }
    }
}

/// How many of how many; none of nobody.
#[must_use]
pub fn share_of(part: u32, whole: u32) -> Option<Exact> {
    (whole > 0).then(|| Exact::new(BigInt::from(part), BigInt::from(whole)))
}

/// A number as it is shown: two decimals, half up. Written as text, so that no reader makes a binary fraction of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, pattern = r"^-?\d+\.\d\d$", example = "86.25")]
pub struct Hundredths(pub i64);

impl Hundredths {
    /// Rounds half away from zero; scores are never negative, so that this is half up.
    #[must_use]
    pub fn rounded(exact: &Exact) -> Self {
        let hundredfold = (exact * Exact::from_integer(BigInt::from(100))).round();
        Self(hundredfold.to_integer().to_i64().unwrap_or(if exact.is_negative() { i64::MIN } else { i64::MAX }))
    }

    /// A share in per cent.
    #[must_use]
    pub fn per_cent(share: &Exact) -> Self {
        Self::rounded(&(share * Exact::from_integer(BigInt::from(100))))
    }
}

impl std::fmt::Display for Hundredths {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(formatter, "{sign}{}.{:02}", self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100)
    }
}

impl std::str::FromStr for Hundredths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("“{text}” does not have two decimals");
        let (digits, sign) = text.strip_prefix('-').map_or((text, 1), |digits| (digits, -1));
        let (whole, rest) = digits.split_once('.').filter(|(_, rest)| rest.len() == 2).ok_or_else(wrong)?;
        let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits(whole) || !all_digits(rest) {
            return Err(wrong());
        }
        let number: i64 = format!("{whole}{rest}").parse().map_err(|_| wrong())?;
        Ok(Self(sign * number))
    }
}

impl Serialize for Hundredths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hundredths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn exact(numerator: i64, denominator: i64) -> Exact {
        Exact::new(BigInt::from(numerator), BigInt::from(denominator))
    }

    #[rstest]
    #[case::a_third(1, 3, "0.33")]
    #[case::two_thirds(2, 3, "0.67")]
    #[case::exactly_half_goes_up(1, 200, "0.01")]
    #[case::just_below_half_goes_down(4_999_999, 1_000_000_000, "0.00")]
    // 1.005 as a binary fraction is less than 1.005, and floating point gives 1.00.
    #[case::where_floating_point_errs(1005, 1000, "1.01")]
    #[case::whole(100, 1, "100.00")]
    #[case::below_zero(-5, 2, "-2.50")]
    fn a_number_is_shown_with_two_decimals_half_up(#[case] over: i64, #[case] under: i64, #[case] expected: &str) {
        assert_eq!(Hundredths::rounded(&exact(over, under)).to_string(), expected);
    }

    #[rstest]
    #[case(3000, "30%")]
    #[case(3333, "33.33%")]
    #[case(1250, "12.5%")]
    #[case(1205, "12.05%")]
    #[case(10_000, "100%")]
    fn a_share_is_shown_in_per_cent(#[case] share: u16, #[case] expected: &str) {
        assert_eq!(Share(share).to_string(), expected);
    }

    #[test]
    fn a_fraction_of_a_plan_file_becomes_an_exact_share() {
        assert_eq!(
            [0.3, 0.1 + 0.2, 1.0, 0.0].map(|fraction| Share::of_one(fraction).unwrap().0),
            [3000, 3000, 10_000, 0]
        );
        assert_eq!([-0.1, 1.1, f64::NAN].map(Share::of_one), [None; 3]);
    }

    #[test]
    fn what_has_no_two_decimals_is_no_score() {
        for text in ["", "1", "1.5", "1.555", ".50", "1.", "1.5x", "--1.00", "+1.00", "1 .00"] {
            assert!(text.parse::<Hundredths>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_score_is_read_as_it_was_written(hundredths in -1_000_000..1_000_000i64) {
            let shown = Hundredths(hundredths);
            prop_assert_eq!(shown.to_string().parse::<Hundredths>().unwrap(), shown);
            prop_assert_eq!(serde_json::from_str::<Hundredths>(&serde_json::to_string(&shown).unwrap()).unwrap(), shown);
        }

        #[test]
        fn rounding_errs_by_half_a_hundredth_at_most(over in 0..1_000_000i64, under in 1..10_000i64) {
            let (value, shown) = (exact(over, under), Hundredths::rounded(&exact(over, under)));
            let error = (value - exact(shown.0, 100)).abs();
            prop_assert!(error <= exact(1, 200));
        }
    }
}
