//! Randomness comes from the environment, so that tests are repeatable.

use std::sync::Mutex;

use rand::{RngCore, SeedableRng, TryRngCore, rngs::StdRng};

/// Source of random bytes.
pub trait Randomness: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Randomness + '_ {
    /// As many random bytes as the caller's type asks for.
    #[must_use]
    pub fn bytes<const LENGTH: usize>(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        self.fill(&mut bytes);
        bytes
    }

    /// A number below `bound`, each equally likely.
    ///
    /// # Panics
    /// When `bound` is zero.
    #[must_use]
    pub fn below(&self, bound: u32) -> u32 {
        assert!(bound > 0, "there is no number below zero");
        // Numbers past the last full round would make the small ones likelier.
        let limit = u32::MAX - u32::MAX % bound;
        loop {
            let number = u32::from_le_bytes(self.bytes());
            if number < limit {
                return number % bound;
            }
        }
    }

    /// Puts the items into a random order, each order equally likely.
    pub fn shuffle<T>(&self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let bound = u32::try_from(last + 1).expect("lists that are shuffled are short");
            items.swap(last, self.below(bound) as usize);
        }
    }
}

/// The operating system's source.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rngs::OsRng.try_fill_bytes(bytes).expect("the operating system's randomness is always there");
    }
}

/// The same bytes for the same seed. For tests and the demo only.
#[derive(Debug)]
pub struct SeededRandomness(Mutex<StdRng>);

impl SeededRandomness {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Randomness for SeededRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().expect("no holder of this lock panics").fill_bytes(bytes);
    }
}
