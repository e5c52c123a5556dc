//! Host keys as people give them: one line of `ssh-keyscan` or of `/etc/ssh/ssh_host_*_key.pub`.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use model::Digest;

/// The kinds of host keys that may be pinned.
const KINDS: [&str; 5] =
    ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"];

/// The longest key, in characters: an RSA key of 16,384 bits has 2,800.
const MAX_LENGTH: usize = 4096;

/// A host key that can be pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// `ssh-ed25519 AAAA…`, without a comment.
    pub line: String,
    /// `SHA256:` and the unpadded base64 of the key's SHA-256, as `ssh-keygen -l` shows it.
    pub fingerprint: String,
}

/// Why a text is no host key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostKeyError {
    /// It is not of the form `kind base64 [comment]`.
    #[error("write a host key as `ssh-ed25519 AAAA…`")]
    Form,
    /// Its kind is not one that may be pinned.
    #[error("host keys of this kind cannot be pinned: use one of {}", KINDS.join(", "))]
    Kind,
    /// What the base64 holds is no key of the named kind.
    #[error("the key does not hold what its first word says")]
    Content,
}

impl PublicKey {
    /// Reads a line; a comment after the key is dropped.
    ///
    /// # Errors
    /// When it is no host key.
    pub fn parse(line: &str) -> Result<Self, HostKeyError> {
        let mut words = line.split_ascii_whitespace();
        let (Some(kind), Some(text)) = (words.next(), words.next()) else {
            return Err(HostKeyError::Form);
        };
        if line.len() > MAX_LENGTH || line.trim().contains(['\n', '\r']) {
            return Err(HostKeyError::Form);
        }
        if !KINDS.contains(&kind) {
            return Err(HostKeyError::Kind);
        }
        let blob = STANDARD.decode(text).map_err(|_| HostKeyError::Content)?;
        // The key begins with its kind, preceded by its length in four bytes (RFC 4253, 6.6).
        let length = u32::try_from(kind.len()).map_err(|_| HostKeyError::Content)?;
        let head = [&length.to_be_bytes(), kind.as_bytes()].concat();
        if !blob.starts_with(&head) || blob.len() <= head.len() {
            return Err(HostKeyError::Content);
        }
        let digest = STANDARD_NO_PAD.encode(Digest::of(&blob).as_bytes());
        Ok(Self { line: format!("{kind} {text}"), fingerprint: format!("SHA256:{digest}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    #[test]
    fn a_line_gives_the_fingerprint_ssh_keygen_shows() {
        let key = PublicKey::parse(&format!("  {LINE} root@web-1\n")).unwrap();
        assert_eq!(key.line, LINE);
        // GitHub publishes this fingerprint for this key.
        assert_eq!(key.fingerprint, "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
    }

    #[test]
    fn what_is_no_host_key_is_refused() {
        let blob = LINE.split_once(' ').unwrap().1;
        for (line, error) in [
            (String::new(), HostKeyError::Form),
            ("ssh-ed25519".to_owned(), HostKeyError::Form),
            (format!("{LINE}\n{LINE}"), HostKeyError::Form),
            (format!("ssh-dss {blob}"), HostKeyError::Kind),
            (format!("ssh-rsa {blob}"), HostKeyError::Content),
            ("ssh-ed25519 !!!!".to_owned(), HostKeyError::Content),
            ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5".to_owned(), HostKeyError::Content),
        ] {
            assert_eq!(PublicKey::parse(&line), Err(error), "{line}");
        }
    }
}
