//! Repeatable randomness for tests.

use std::{collections::BTreeMap, sync::Mutex};

use rand::{RngCore, SeedableRng, rngs::StdRng};

use crate::{
    blind::{RsaSigner, generate},
    randomness::{NoRandomness, Randomness},
};

pub struct Seeded(Mutex<StdRng>);

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Randomness for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self.0.lock().unwrap().fill_bytes(bytes);
        Ok(())
    }
}

/// A phone without a secure source.
pub struct Exhausted;

impl Randomness for Exhausted {
    fn fill(&self, _bytes: &mut [u8]) -> Result<(), NoRandomness> {
        Err(NoRandomness)
    }
}

/// A signer made from a seed: the same for the same number.
pub fn signer(seed: u64) -> RsaSigner {
    static MADE: Mutex<BTreeMap<u64, Vec<u8>>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap();
    let der = made.entry(seed).or_insert_with(|| generate(&Seeded::new(seed)).unwrap().to_pkcs8().unwrap().to_vec());
    RsaSigner::from_pkcs8(der).unwrap()
}
