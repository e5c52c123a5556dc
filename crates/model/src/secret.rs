//! Secrets in memory: no `Debug`, no serialisation, wiped when dropped.

use std::fmt;

use zeroize::Zeroizing;

/// Secret bytes. Reading them is spelled out with [`Secret::expose`].
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes ownership of secret bytes.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, when they are text.
    #[must_use]
    pub fn expose_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Refuses to compile when a type has one of these traits: what would show a secret, it cannot
/// come to have by a derive in passing.
///
/// With the trait, the function below is ambiguous.
#[macro_export]
macro_rules! lacks {
    ($type:ty: $($forbidden:path),+ $(,)?) => {$(
        const _: fn() = || {
            trait Either<Which> {
                fn it() {}
            }
            struct Forbidden;
            impl<T: ?Sized> Either<()> for T {}
            impl<T: ?Sized + $forbidden> Either<Forbidden> for T {}
            let _ = <$type as Either<_>>::it;
        };
    )+};
}

lacks!(Secret: serde::Serialize, fmt::Display, PartialEq, AsRef<[u8]>, std::ops::Deref);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::Login;

    #[test]
    fn s2_a_secret_does_not_print_itself_wherever_it_is_held() {
        let secret = Secret::from("hunter2".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        let held = format!("{:#?}", Some(Login::Password(secret)));
        assert!(!held.contains("hunter2") && !held.contains("104"), "{held}");
    }
}
