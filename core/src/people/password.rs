//! Passwords are kept as Argon2id hashes. Hashing takes tens of milliseconds of a core on purpose: it runs off the
//! async threads.

use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString},
};

use crate::{
    randomness::Randomness,
    refusal::{Fault, Refusal},
};

/// Shortest password of staff, in characters.
pub const SHORTEST: usize = 10;

/// Hashes a password with a fresh salt.
///
/// # Errors
/// When the password is too short.
pub async fn hash(password: &str, randomness: &dyn Randomness) -> Result<String, Fault> {
    if password.chars().count() < SHORTEST {
        return Err(Refusal::invalid(vec![]).with_field("/password", "密码至少要有十个字符。").into());
    }
    let salt: [u8; 16] = randomness.bytes();
    let salt = SaltString::encode_b64(&salt).map_err(Fault::unavailable)?;
    let password = password.to_owned();
    tokio::task::spawn_blocking(move || {
        Argon2::default().hash_password(password.as_bytes(), &salt).map(|hash| hash.to_string())
    })
    .await
    .map_err(Fault::unavailable)?
    .map_err(Fault::unavailable)
}

/// Whether the password is the one that was hashed. Without a hash, spends the same time and says no, so that the
/// answer's time does not tell which logins exist.
///
/// # Errors
/// When the stored hash cannot be read.
pub async fn matches(password: &str, hash: Option<String>) -> Result<bool, Fault> {
    // Hash of a random password nobody knows.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZSByYW5kb20gc2FsdA$wP7ZcbiUgcxZsMBxXq0X0A4m7m4Zq8l2W2F0b1J3b0k";
    let password = password.to_owned();
    tokio::task::spawn_blocking(move || {
        let known = hash.is_some();
        let text = hash.unwrap_or_else(|| NOBODY.to_owned());
        let parsed = PasswordHash::new(&text).map_err(Fault::unavailable)?;
        Ok(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() && known)
    })
    .await
    .map_err(Fault::unavailable)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::SystemRandomness;

    #[tokio::test]
    async fn only_the_right_password_of_somebody_matches() {
        let hash = hash("一个足够长的好密码", &SystemRandomness).await;
        assert!(hash.is_err(), "nine characters are too few");
        let hash = super::hash("一个足够长的好密码啊", &SystemRandomness).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(matches("一个足够长的好密码啊", Some(hash.clone())).await.unwrap());
        assert!(!matches("一个足够长的坏密码啊", Some(hash)).await.unwrap());
        assert!(!matches("一个足够长的好密码啊", None).await.unwrap());
    }
}
