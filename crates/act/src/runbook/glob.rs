//! Patterns on alert names, severities, sources and labels: globs, or regular expressions.

use globset::{GlobBuilder, GlobMatcher};
use regex::Regex;

use super::template::value;

/// What marks a regular expression.
const REGEX: &str = "re:";

/// A pattern; it must match all of a text.
#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    /// `*`, `?`, `[…]`, `{a,b}`; letters of either case.
    Glob(GlobMatcher),
    /// As written after `re:`.
    Regex(Regex),
}

impl Pattern {
    /// Reads a pattern.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        value::short(text)?;
        if let Some(regex) = text.strip_prefix(REGEX) {
            return value::pattern(regex).map(Self::Regex);
        }
        GlobBuilder::new(text)
            .case_insensitive(true)
            .literal_separator(false)
            .backslash_escape(true)
            .build()
            .map(|glob| Self::Glob(glob.compile_matcher()))
            .map_err(|error| format!("no glob: {}", error.kind()))
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Glob(glob) => glob.is_match(text),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text, expected) in [
            ("ServiceDown*", "servicedownNginx", true),
            ("DB", "DBA", false),
            ("a.c", "abc", false),
            ("disk?", "disk1", true),
            ("disk?", "disk", false),
            ("*", "", true),
            ("*/var/*", "a/var/b/c", true),
            ("re:Disk(Full|Slow)", "DiskSlow", true),
            ("re:Disk(Full|Slow)", "DiskSlower", false),
            ("re:a|b", "ab", false),
            ("{high,critical}", "Critical", true),
        ] {
            assert_eq!(Pattern::read(pattern).unwrap().matches(text), expected, "{pattern} {text}");
        }
        for bad in ["[a", "re:(", "re:a)(b", "{a"] {
            assert!(Pattern::read(bad).is_err(), "{bad}");
        }
    }
}
