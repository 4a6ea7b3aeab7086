//! Passwords: which are accepted, how they are hashed, and the one-time ones.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _},
};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;

use super::UserName;
use crate::app::Random;

/// Fewest characters of a password people choose. NIST SP 800-63B asks for 8 as a minimum and for no composition rules.
pub const MIN_PASSWORD_CHARS: usize = 10;
/// Most bytes of a password that are looked at; NIST SP 800-63B asks for at least 64 characters.
const MAX_PASSWORD_BYTES: usize = 1024;

/// Argon2id with 19 MiB, 2 passes, 1 lane: the first choice of OWASP's Password Storage Cheat Sheet, also `argon2`'s default.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes computed at once: each needs [`MEMORY_KIB`] and a core, and a NAS has two of those.
const AT_ONCE: usize = 2;
static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// Compared when there is no such person, so that the answer takes as long. Nobody's password: its result is not used.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$dm91Y2gubm9ib2R5Li4uLg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Letters and digits that are not mistaken for one another when read aloud or from paper: no i, l, o, 0, 1.
const READABLE: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
/// Four groups of four: 16 × log2(31) = 79 bits.
const GROUPS: usize = 4;
const GROUP_CHARS: usize = 4;

/// Why a password was not accepted or not hashed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short.
    #[error("a password has at least {MIN_PASSWORD_CHARS} characters")]
    TooShort,
    /// Too long.
    #[error("a password has at most {MAX_PASSWORD_BYTES} bytes")]
    TooLong,
    /// The first thing anybody tries.
    #[error("the password must not be the user name")]
    IsUserName,
    /// Nothing would have changed.
    #[error("the new password is the old one: choose another")]
    Unchanged,
    /// The hash function or its thread failed; a bug or a machine out of memory.
    #[error("the password could not be hashed: {0}")]
    Hashing(String),
}

/// Checks a password somebody chose for `user_name`.
pub(super) fn check(password: &str, user_name: &UserName) -> Result<(), PasswordError> {
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(PasswordError::TooLong);
    }
    if password.chars().count() < MIN_PASSWORD_CHARS {
        return Err(PasswordError::TooShort);
    }
    if password.parse::<UserName>().is_ok_and(|folded| folded == *user_name) {
        return Err(PasswordError::IsUserName);
    }
    Ok(())
}

/// Hashes a password into PHC text, on a thread that may block.
pub(super) async fn hash(password: &str, random: &Random) -> Result<String, PasswordError> {
    let (password, salt) = (normal(password), random.bytes::<16>());
    blocking(move || {
        let hash = argon2()?.hash_password_with_salt(password.as_bytes(), &salt);
        hash.map(|phc| phc.to_string()).map_err(|e| PasswordError::Hashing(e.to_string()))
    })
    .await
}

/// Whether the password is the one of `hash`; for nobody (`None`) it takes as long and is not.
pub(super) async fn is_right(password: &str, hash: Option<&str>) -> Result<bool, PasswordError> {
    if password.len() > MAX_PASSWORD_BYTES {
        return Ok(false);
    }
    let (password, is_somebody) = (normal(password), hash.is_some());
    let hash = hash.unwrap_or(NOBODY).to_owned();
    blocking(move || {
        let is_right = argon2()?.verify_password(password.as_bytes(), hash.as_str()).is_ok();
        Ok(is_right && is_somebody)
    })
    .await
}

/// A password for somebody to use once: readable, 79 bits.
pub(super) fn one_time(random: &Random) -> String {
    let groups: Vec<String> = (0..GROUPS)
        .map(|_| {
            // 64 random bits per character: the bias of the remainder is below 2^-58.
            (0..GROUP_CHARS)
                .map(|_| u64::from_be_bytes(random.bytes()) % READABLE.len() as u64)
                .map(|at| char::from(READABLE[at as usize]))
                .collect()
        })
        .collect();
    groups.join("-")
}

/// NFC, so that ö typed on a Mac (o and two dots) is ö typed elsewhere (RFC 8265, section 4.2).
fn normal(password: &str) -> String {
    password.nfc().collect()
}

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|e| PasswordError::Hashing(e.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
) -> Result<T, PasswordError> {
    let _turn = TURNS.acquire().await.map_err(|e| PasswordError::Hashing(e.to_string()))?;
    tokio::task::spawn_blocking(work).await.map_err(|e| PasswordError::Hashing(e.to_string()))?
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[tokio::test]
    async fn a_hashed_password_is_recognised_in_both_unicode_spellings_and_no_other_is() {
        let random = Random::from_seed(1);
        let phc = hash("Schöne Reise", &random).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(is_right("Scho\u{308}ne Reise", Some(&phc)).await.unwrap());
        assert!(!is_right("Schone Reise", Some(&phc)).await.unwrap());
        assert!(!is_right("Schöne Reise", None).await.unwrap());
        assert_ne!(phc, hash("Schöne Reise", &random).await.unwrap(), "salted");
    }

    #[test]
    fn nobody_has_a_well_formed_hash_of_todays_cost() {
        let phc = argon2::password_hash::phc::PasswordHash::new(NOBODY).unwrap();
        let params = Params::try_from(&phc).unwrap();
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (MEMORY_KIB, PASSES, LANES));
        assert_eq!(phc.hash.unwrap().len(), 32);
    }

    #[test]
    fn short_passwords_and_the_user_name_are_refused() {
        let mei: UserName = "mei.wang.sales".parse().unwrap();
        assert_eq!(check("123456789", &mei), Err(PasswordError::TooShort));
        assert_eq!(check("Mei.Wang.Sales", &mei), Err(PasswordError::IsUserName));
        assert_eq!(check(&"x".repeat(1025), &mei), Err(PasswordError::TooLong));
        assert_eq!(check("十个汉字的密码够长了吗", &mei), Ok(()));
    }

    #[test]
    fn one_time_passwords_are_readable_and_differ() {
        let random = Random::from_seed(7);
        let made: BTreeSet<_> = (0..100).map(|_| one_time(&random)).collect();
        assert_eq!(made.len(), 100);
        for password in made {
            assert_eq!(password.len(), GROUPS * GROUP_CHARS + GROUPS - 1);
            assert!(password.bytes().all(|b| b == b'-' || READABLE.contains(&b)), "{password}");
            assert!(check(&password, &"admin".parse().unwrap()).is_ok());
        }
    }
}
