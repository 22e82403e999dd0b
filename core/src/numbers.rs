//! Numbers that people say on the phone, e.g. `SQ26-4F7K2M9A`.

use crate::{people::sign_in::UNAMBIGUOUS, storage::UnitOfWork};

/// A fresh number. Random, so that it neither tells how many there are nor makes writers wait for one another.
#[must_use]
pub fn fresh(prefix: &str, unit: &UnitOfWork) -> String {
    let letters: String =
        (0..8).map(|_| char::from(UNAMBIGUOUS[unit.randomness().below(UNAMBIGUOUS.len() as u32) as usize])).collect();
    format!("{prefix}{}-{letters}", unit.today().format("%y"))
}
