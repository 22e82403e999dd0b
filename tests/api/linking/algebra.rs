//! What the platform can work out from blind signatures: nothing, as every ballot fits every request.

use num_bigint::BigUint;
use qingfeng_ballots::{ballot::Ballot, blind, messages};

use super::voting::{Polled, Vote};

const EXPONENT: u32 = 65537;

/// 0 where the answer to a request was signed with the key of the manifest, 1 with another.
pub fn issued_under(polled: &Polled, vote: &Vote) -> usize {
    let modulus = BigUint::from_bytes_be(polled.keys.a.modulus());
    let opened = BigUint::from_bytes_be(&vote.sa.0).modpow(&EXPONENT.into(), &modulus);
    usize::from(opened != BigUint::from_bytes_be(&vote.a.0))
}

/// 0 where a ballot verifies with the key of the manifest, 1 with another.
pub fn verifies_under(polled: &Polled, ballot: &Ballot) -> usize {
    let message = blind::prepare(&ballot.pa.0, &messages::credential(&polled.sid.sid(), &ballot.pk));
    usize::from(polled.keys.a.verify(&message, ballot.sa.as_slice()).is_err())
}

/// Of so many requests and ballots, the pairs for which there is a factor that blinded this ballot into this request: the
/// number that a verifier encodes, times the factor to the public exponent, has to be the request.
pub fn fitting(polled: &Polled, several: usize) -> Vec<(usize, usize)> {
    let modulus = BigUint::from_bytes_be(polled.keys.a.modulus());
    let exponent = BigUint::from(EXPONENT);
    let mut pairs = Vec::new();
    for (person, request) in polled.votes.iter().enumerate().take(several) {
        for (ballot, vote) in polled.votes.iter().enumerate().take(several) {
            let signature = BigUint::from_bytes_be(&vote.ballot.sa.0);
            let encoded = signature.modpow(&exponent, &modulus);
            let inverse = signature.modinv(&modulus).expect("prime to the modulus");
            let factor = BigUint::from_bytes_be(&request.sa.0) * inverse % &modulus;
            let request = BigUint::from_bytes_be(&request.a.0);
            if encoded * factor.modpow(&exponent, &modulus) % &modulus == request {
                pairs.push((person, ballot));
            }
        }
    }
    pairs
}
