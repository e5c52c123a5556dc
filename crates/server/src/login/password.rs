//! Passwords: argon2id, off the async threads, a few at a time.

use std::sync::LazyLock;

use api::Problem;
use api::problem::Answer;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

/// Shortest password taken: NIST SP 800-63B-4, section 3.1.1.2, for passwords used alone.
pub const MIN_LENGTH: usize = 15;
/// Longest password taken, in bytes.
pub const MAX_LENGTH: usize = 1024;
/// Hashes computed at the same time; each takes 19 MiB.
pub(super) const AT_ONCE: usize = 4;

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// What unknown users' passwords are checked against, so that they take as long as known ones.
static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| derive(b"nobody's password").ok());

/// Refuses passwords that are too short or too long.
///
/// # Errors
/// 400 with the field's path.
pub fn check_strength(path: &str, password: &str) -> Answer<()> {
    if password.chars().count() < MIN_LENGTH || password.len() > MAX_LENGTH {
        return Err(Problem::invalid(
            path,
            "length",
            format!("must have {MIN_LENGTH} characters or more, and at most {MAX_LENGTH} bytes"),
        ));
    }
    Ok(())
}

fn derive(password: &[u8]) -> Result<String, argon2::password_hash::Error> {
    Ok(Argon2::default().hash_password(password)?.to_string())
}

/// The hash of a password in PHC form.
///
/// # Errors
/// When no thread or no randomness is to be had.
pub async fn hash(password: String) -> Answer<String> {
    let made = in_turn(move || derive(password.as_bytes())).await?;
    made.map_err(|error| Problem::internal(&error))
}

/// Whether `password` is the one behind `stored`; without a stored hash it takes as long and is no.
///
/// # Errors
/// When no thread is to be had.
pub async fn matches(password: String, stored: Option<String>) -> Answer<bool> {
    in_turn(move || {
        let known = stored.is_some();
        let Some(text) = stored.or_else(|| NOBODY.clone()) else { return false };
        let Ok(hash) = PasswordHash::new(&text) else { return false };
        let right = Argon2::default().verify_password(password.as_bytes(), &hash).is_ok();
        right && known
    })
    .await
}

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Answer<T> {
    let busy = || Problem::unavailable("too many logins at once; try again");
    let _turn = TURNS.acquire().await.map_err(|_| busy())?;
    tokio::task::spawn_blocking(work).await.map_err(|_| busy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_matches() {
        let stored = hash("correct horse battery".to_owned()).await.unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(matches("correct horse battery".to_owned(), Some(stored.clone())).await.unwrap());
        assert!(!matches("correct horse batterz".to_owned(), Some(stored)).await.unwrap());
        assert!(!matches("nobody's password".to_owned(), None).await.unwrap());
    }

    #[test]
    fn short_passwords_are_refused_with_their_path() {
        let problem = check_strength("/new_password", "short").unwrap_err();
        assert_eq!(problem.errors[0].path, "/new_password");
    }
}
