use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use qingfeng_ballots::{canonical::sha256, randomness::random_bytes};
use zeroize::Zeroizing;

use crate::fault::{Fault, Kind, Refusal};

/// Wrong codes that one address may try within [`WINDOW`]: typing errors are caught by the check character, so who needs
/// more is guessing.
const MOST_WRONG_CODES: u32 = 10;
const WINDOW: TimeDelta = TimeDelta::minutes(10);

/// Counts wrong codes per caller, in memory only and under a salt that changes every ten minutes: no address is kept.
#[derive(Default)]
pub(crate) struct Guesses(Mutex<Window>);

#[derive(Default)]
struct Window {
    began: Option<DateTime<Utc>>,
    salt: Zeroizing<[u8; 16]>,
    wrong: HashMap<[u8; 32], u32>,
}

impl Guesses {
    /// # Errors
    /// Refuses a caller who has tried too many wrong codes.
    pub(crate) fn admit(
        &self,
        caller: IpAddr,
        now: DateTime<Utc>,
        randomness: &dyn qingfeng_ballots::randomness::Randomness,
    ) -> Result<(), Fault> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if window.began.is_none_or(|began| now - began >= WINDOW || now < began) {
            *window = Window { began: Some(now), salt: Zeroizing::new(random_bytes(randomness)?), ..Window::default() };
        }
        let tried = window.wrong.get(&window.name(caller)).copied().unwrap_or_default();
        if tried >= MOST_WRONG_CODES {
            let sentence = "试错太多次了，请十分钟后再试，或找村里的工作人员。";
            return Err(Refusal::new(Kind::TooManyRequests, "slow_down", sentence).into());
        }
        Ok(())
    }

    pub(crate) fn wrong(&self, caller: IpAddr) {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = window.name(caller);
        *window.wrong.entry(name).or_default() += 1;
    }
}

impl Window {
    fn name(&self, caller: IpAddr) -> [u8; 32] {
        // An IPv6 subscriber has a whole /64; what is an IPv4 address in IPv6 clothes is none, else all of IPv4 were one network.
        let network = match caller.to_canonical() {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets()[..8].to_vec(),
        };
        sha256(&[self.salt.as_slice(), &network]).0
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::randomness::SystemRandomness;

    #[rstest]
    #[case::another_place("203.0.113.9", "203.0.113.10", true)]
    #[case::another_place_of_version_4_in_the_form_of_6("::ffff:203.0.113.9", "::ffff:203.0.113.10", true)]
    #[case::the_same_place_in_either_form("::ffff:203.0.113.9", "203.0.113.9", false)]
    #[case::another_subscriber("2001:db8:1:1::1", "2001:db8:1:2::1", true)]
    #[case::another_address_of_one_subscriber("2001:db8:1:1::1", "2001:db8:1:1::2", false)]
    fn wrong_codes_count_for_the_place_that_they_come_from(
        #[case] guesser: IpAddr,
        #[case] other: IpAddr,
        #[case] may_still_try: bool,
    ) {
        let guesses = Guesses::default();
        let now = "2026-03-02T01:00:00Z".parse().unwrap();
        guesses.admit(guesser, now, &SystemRandomness).unwrap();
        for _ in 0..MOST_WRONG_CODES {
            guesses.wrong(guesser);
        }
        assert!(guesses.admit(guesser, now, &SystemRandomness).is_err());
        assert_eq!(guesses.admit(other, now, &SystemRandomness).is_ok(), may_still_try);
    }
}
