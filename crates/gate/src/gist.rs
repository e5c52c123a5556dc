//! The gist of many messages: what people and the audit log are told of a list that may be long.
//!
//! A thousand targets give a thousand reasons. All of them are kept where the decision is; an
//! event may have 32 KiB, and nobody reads more than a few.

use model::verdict::Reason;

/// The most messages that are told.
pub const MOST: usize = 20;

/// The most characters of one of them.
pub const CHARS: usize = 300;

/// The most characters of a whole text about why something happened.
pub const TEXT_CHARS: usize = 4000;

/// The beginning of a text, in one line.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    let line = |one: char| if one.is_control() { ' ' } else { one };
    if text.chars().count() <= most {
        return text.chars().map(line).collect();
    }
    text.chars().take(most.saturating_sub(1)).map(line).chain(['…']).collect()
}

/// Different messages in one line: the first [`MOST`] of them, and how many more there are.
#[must_use]
pub fn joined<'a>(messages: impl IntoIterator<Item = &'a str>) -> String {
    let mut different: Vec<&str> = Vec::new();
    let mut more = 0_usize;
    for message in messages {
        if different.len() < MOST && !different.contains(&message) {
            different.push(message);
        } else if !different.contains(&message) {
            more += 1;
        }
    }
    let told: Vec<String> = different.into_iter().map(|message| cut(message, CHARS)).collect();
    let told = told.join("; ");
    if more == 0 { told } else { format!("{told}; and {more} more") }
}

/// Reasons as the audit log tells them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headlines {
    /// `judge: code`, each code once, at most [`MOST`].
    pub told: Vec<String>,
    /// How many reasons are not among them.
    pub more: usize,
}

/// One headline a code.
#[must_use]
pub fn headlines<'a>(reasons: impl IntoIterator<Item = &'a Reason>) -> Headlines {
    let mut headlines = Headlines { told: Vec::new(), more: 0 };
    for reason in reasons {
        let headline = cut(&format!("{}: {}", reason.judge, reason.code), CHARS);
        if headlines.told.len() < MOST && !headlines.told.contains(&headline) {
            headlines.told.push(headline);
        } else {
            headlines.more += 1;
        }
    }
    headlines
}

#[cfg(test)]
mod tests;
