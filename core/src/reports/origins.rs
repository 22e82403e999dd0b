use std::{net::IpAddr, time::Duration};

use chrono::NaiveDate;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Requests about reports from one address. A village may share one, so it is generous; codes are too long to be guessed anyway.
pub const LOOKS: u32 = 120;
pub const LOOKS_WINDOW: Duration = Duration::from_secs(10 * 60);

/// Counts requests of one place without knowing the place: what stands in the cache is a digest under a key that is kept elsewhere,
/// another one every day.
#[derive(Clone)]
pub struct Origins {
    key: [u8; 32],
}

impl std::fmt::Debug for Origins {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Origins")
    }
}

impl Origins {
    /// Derives the key, so that it is another one than the one that seals.
    #[must_use]
    pub fn new(sealing_key: &[u8; 32]) -> Self {
        Self { key: keyed(sealing_key, &[b"qingfeng origins of reports v1"]) }
    }

    /// Under what requests from an address are counted on a day.
    #[must_use]
    pub fn slot(&self, address: Option<IpAddr>, day: NaiveDate) -> String {
        let address = address.map(|address| address.to_string()).unwrap_or_default();
        let digest = keyed(&self.key, &[day.to_string().as_bytes(), b" ", address.as_bytes()]);
        format!("sealed_reports:{}", hex::encode(&digest[..16]))
    }
}

fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is taken");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_for_a_day_and_cannot_be_read_from_its_count() {
        let origins = Origins::new(&[7; 32]);
        let (monday, tuesday) = ("2026-03-02".parse().unwrap(), "2026-03-03".parse().unwrap());
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|address| address.parse::<IpAddr>().ok());
        assert_eq!(origins.slot(one, monday), origins.slot(one, monday));
        for different in [
            origins.slot(one, tuesday),
            origins.slot(other, monday),
            origins.slot(None, monday),
            Origins::new(&[8; 32]).slot(one, monday),
        ] {
            assert_ne!(origins.slot(one, monday), different);
        }
        assert!(!origins.slot(one, monday).contains("192"));
    }
}
