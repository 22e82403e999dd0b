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
        // An IPv6 subscriber has a whole /64.
        let network = match caller {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets()[..8].to_vec(),
        };
        sha256(&[self.salt.as_slice(), &network]).0
    }
}
