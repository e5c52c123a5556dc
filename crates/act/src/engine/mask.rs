//! Masking of secrets in output, also where one is cut by a chunk's end.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use model::connector::Login;

/// What stands where a secret stood.
const MASK: &[u8] = b"[masked]";

/// Shorter values are not masked: they would be found everywhere.
const SHORTEST: usize = 6;

/// The secrets of one login in every form they are looked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Mask {
    secrets: Secrets,
    /// Longest first.
    forms: Vec<Vec<u8>>,
}

/// How secrets are found.
#[derive(Debug, Clone, Default)]
enum Secrets {
    /// There are none.
    #[default]
    None,
    Found(AhoCorasick),
    /// They cannot be looked for: everything is taken for one.
    Everything,
}

impl Mask {
    pub(super) fn of(login: Option<&Login>) -> Self {
        let secret = match login {
            None => return Self::default(),
            Some(Login::Key(secret) | Login::Password(secret)) => secret.expose(),
        };
        let mut forms: Vec<Vec<u8>> = vec![secret.to_vec()];
        // A key is printed line by line as often as whole.
        forms.extend(
            secret.split(|byte| *byte == b'\n').filter(|line| line.len() >= 32).map(<[u8]>::to_vec),
        );
        for plain in forms.clone() {
            forms.push(STANDARD.encode(&plain).into_bytes());
            forms.push(STANDARD_NO_PAD.encode(&plain).into_bytes());
            forms.push(hex::encode(&plain).into_bytes());
            forms.push(hex::encode_upper(&plain).into_bytes());
        }
        forms.retain(|form| form.len() >= SHORTEST);
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        // The kind that is built fastest: one is built for every attempt, and forgotten after it.
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::NoncontiguousNFA))
            .build(&forms);
        let secrets = match finder {
            _ if forms.is_empty() => Secrets::None,
            Ok(finder) => Secrets::Found(finder),
            Err(_) => Secrets::Everything,
        };
        Self { secrets, forms }
    }

    /// How many bytes at the end may be the beginning of a secret that goes on.
    fn begun(&self, bytes: &[u8]) -> usize {
        let longest = self.forms.first().map_or(0, |form| form.len().saturating_sub(1));
        let first = bytes.len().saturating_sub(longest);
        let begins = |tail: &[u8]| self.forms.iter().any(|form| form.starts_with(tail));
        let at = (first..bytes.len()).find(|at| bytes.get(*at..).is_some_and(begins));
        at.map_or(0, |at| bytes.len() - at)
    }
}

/// One stream on its way through a mask.
#[derive(Debug, Default)]
pub(super) struct Masked {
    /// Bytes that may be the beginning of a secret.
    held: Vec<u8>,
}

impl Masked {
    /// Takes bytes and gives those that certainly belong to no secret, masked.
    pub(super) fn pass(&mut self, mask: &Mask, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        self.take(mask, mask.begun(&self.held))
    }

    /// Gives what is left.
    pub(super) fn finish(&mut self, mask: &Mask) -> Vec<u8> {
        self.take(mask, 0)
    }

    /// Gives everything but the last `keep` bytes; a secret is never cut in two.
    fn take(&mut self, mask: &Mask, keep: usize) -> Vec<u8> {
        let finder = match &mask.secrets {
            Secrets::None => return std::mem::take(&mut self.held),
            Secrets::Everything => {
                self.held.clear();
                return MASK.to_vec();
            }
            Secrets::Found(finder) => finder,
        };
        let mut out = Vec::with_capacity(self.held.len());
        let mut done = 0;
        for found in finder.find_iter(&self.held) {
            out.extend_from_slice(self.held.get(done..found.start()).unwrap_or_default());
            out.extend_from_slice(MASK);
            done = found.end();
        }
        let safe = self.held.len().saturating_sub(keep).max(done);
        out.extend_from_slice(self.held.get(done..safe).unwrap_or_default());
        self.held.drain(..safe);
        out
    }
}

#[cfg(test)]
mod tests {
    use model::secret::Secret;

    use super::*;

    fn mask() -> Mask {
        Mask::of(Some(&Login::Password(Secret::from("hunter2-hunter2".to_owned()))))
    }

    fn through(mask: &Mask, text: &[u8], chunk: usize) -> String {
        let mut stream = Masked::default();
        let mut out = Vec::new();
        for bytes in text.chunks(chunk) {
            out.extend(stream.pass(mask, bytes));
        }
        out.extend(stream.finish(mask));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn s5_a_secret_is_masked_plain_in_base64_and_in_hex_however_it_is_cut() {
        let secret = "hunter2-hunter2";
        let text = format!("a {secret} b {} c {} d", STANDARD.encode(secret), hex::encode(secret));
        for chunk in 1..=text.len() {
            assert_eq!(
                through(&mask(), text.as_bytes(), chunk),
                "a [masked] b [masked] c [masked] d"
            );
        }
    }

    #[test]
    fn s5_only_what_may_be_a_secret_is_held_back() {
        let mut stream = Masked::default();
        assert_eq!(stream.pass(&mask(), b"working\n"), b"working\n");
        assert_eq!(stream.pass(&mask(), b"the word is hunter2"), b"the word is ");
        assert_eq!(stream.pass(&mask(), b" and no more"), b"hunter2 and no more");
    }

    #[test]
    fn s5_other_output_passes_unchanged() {
        let text = "hunter2-hunter, nearly a secret\n";
        for chunk in 1..=text.len() {
            assert_eq!(through(&mask(), text.as_bytes(), chunk), text);
        }
        assert_eq!(through(&Mask::of(None), text.as_bytes(), 3), text);
    }
}
