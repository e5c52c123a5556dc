//! Text that is not what it seems: what turns its direction round, what cannot be seen, and letters
//! that look like others. Whoever approves a change sees it escaped, and is told of it.
//!
//! Nothing is refused for it: names and prose of every language are good input. The kinds are those
//! of Unicode's security mechanisms (UTS 39) and of "Trojan Source" (CVE-2021-42574).

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;
use unicode_properties::{GeneralCategory, UnicodeEmoji as _, UnicodeGeneralCategory as _};
use unicode_security::mixed_script::AugmentedScriptSet;
use unicode_security::{MixedScript as _, skeleton};
use utoipa::ToSchema;

/// Marks one character may carry; no language stacks more of them.
const MOST_MARKS: usize = 3;
/// The most texts of one document that are told of.
const MOST_TOLD: usize = 100;
/// The most different characters that are named of one text.
const MOST_NAMED: usize = 20;
/// How much of a text is shown, in characters, from a little before the first of them.
const SHOWN: usize = 200;
const SHOWN_BEFORE: usize = 40;

/// Why a character is not what it seems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trick {
    /// It turns the direction of the text round: what is read is not what is there.
    Direction,
    /// It takes no room: two texts that look the same differ.
    Invisible,
    /// It steers a terminal, or ends a line where none seems to end.
    Control,
    /// It looks like a space and is none to a shell.
    Space,
    /// It means nothing, or what somebody agreed on in private.
    Unassigned,
    /// It is of another script than its word.
    MixedScripts,
    /// Its word looks like one of plain letters.
    Lookalike,
    /// It is one more mark than a character carries in any language: it covers its neighbours.
    Marks,
}

/// A character that is not what it seems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oddity {
    /// Where it begins, in bytes.
    pub at: usize,
    /// The character.
    pub character: char,
    /// Why.
    pub trick: Trick,
}

/// Every character of a text that is not what it seems, in their order. Line feeds and tabs are
/// what they seem.
#[must_use]
pub fn oddities(text: &str) -> Vec<Oddity> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t')) {
        return Vec::new();
    }
    let mut found = alone(text);
    let prose = prose(text);
    for (start, word) in words(text) {
        if let Some(trick) = of_word(word, &prose) {
            let odd = word.char_indices().filter(|(_, one)| match trick {
                Trick::MixedScripts => !is_latin(*one),
                _ => !one.is_ascii(),
            });
            found.extend(odd.map(|(at, character)| Oddity { at: start + at, character, trick }));
        }
    }
    // Of two reasons for one character the one it gives by itself stands first.
    found.sort_by_key(|odd| (odd.at, odd.trick));
    found.dedup_by_key(|odd| odd.at);
    found
}

/// A text in which nothing is hidden: every such character is written as its number, `\u{202e}`.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = 0;
    for odd in oddities(text) {
        shown.push_str(text.get(rest..odd.at).unwrap_or_default());
        shown.extend(odd.character.escape_unicode());
        rest = odd.at + odd.character.len_utf8();
    }
    shown.push_str(text.get(rest..).unwrap_or_default());
    shown
}

/// A text of a document that is not what it seems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Suspicious {
    /// Where it is: a JSON pointer, escaped as the text is; of a name, the pointer to its value.
    #[schema(example = "/plan/steps/0/commands/web-1")]
    pub path: String,
    /// The characters, each once.
    #[schema(example = json!(["U+202E"]))]
    pub code_points: Vec<String>,
    /// Why, each reason once.
    pub tricks: Vec<Trick>,
    /// The text from a little before the first of them, escaped.
    #[schema(example = "rm \\u{202e}gpj.exe")]
    pub shown: String,
}

/// The texts of documents, names included, that are not what they seem: at most 100, in their
/// order, the same text once. Each document comes with the pointer it stands at.
#[must_use]
pub fn suspicious(documents: &[(&str, Value)]) -> Vec<Suspicious> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for (at, document) in documents {
        walk(document, at, &mut |path, text| {
            // A plan says the same for each of its targets.
            if found.len() < MOST_TOLD && seen.insert(text) {
                let odd = oddities(text);
                if !odd.is_empty() {
                    found.push(told(path, text, &odd));
                }
            }
        });
    }
    found
}

fn told(path: &str, text: &str, odd: &[Oddity]) -> Suspicious {
    let characters: BTreeSet<char> = odd.iter().map(|odd| odd.character).collect();
    let tricks: BTreeSet<Trick> = odd.iter().map(|odd| odd.trick).collect();
    let first = odd.first().map_or(0, |odd| odd.at);
    let before = text.get(..first).unwrap_or_default();
    let from = before.char_indices().rev().take(SHOWN_BEFORE).last().map_or(first, |(at, _)| at);
    let part: String = text.get(from..).unwrap_or_default().chars().take(SHOWN).collect();
    let cut = |here: bool| if here { "…" } else { "" };
    let ends = from + part.len() == text.len();
    Suspicious {
        path: escaped(path),
        code_points: characters
            .into_iter()
            .take(MOST_NAMED)
            .map(|one| format!("U+{:04X}", u32::from(one)))
            .collect(),
        tricks: tricks.into_iter().collect(),
        shown: format!("{}{}{}", cut(from > 0), escaped(&part), cut(!ends)),
    }
}

/// Every name and every text of a document, with its place.
fn walk<'d>(value: &'d Value, path: &str, see: &mut impl FnMut(&str, &'d str)) {
    match value {
        Value::String(text) => see(path, text),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                walk(item, &format!("{path}/{at}"), see);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
                see(&path, name);
                walk(field, &path, see);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What a character gives away by itself.
fn alone(text: &str) -> Vec<Oddity> {
    let (mut found, mut marks) = (Vec::new(), 0);
    let mut before = None;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        marks = if is_mark(character) { marks + 1 } else { 0 };
        let after = characters.peek().map(|(_, after)| *after);
        let trick = if joins_emoji(before, character, after) {
            None
        } else if marks > MOST_MARKS {
            Some(Trick::Marks)
        } else {
            of_character(character)
        };
        found.extend(trick.map(|trick| Oddity { at, character, trick }));
        before = Some(character);
    }
    found
}

fn of_character(character: char) -> Option<Trick> {
    match character {
        '\n' | '\t' | ' '..='~' => None,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Some(Trick::Direction)
        }
        // Letters, marks and symbols by their category, and nothing to the eye.
        '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{ffa0}'
        | '\u{e0100}'..='\u{e01ef}' => Some(Trick::Invisible),
        other => match other.general_category() {
            GeneralCategory::Format => Some(Trick::Invisible),
            GeneralCategory::Control
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator => Some(Trick::Control),
            GeneralCategory::SpaceSeparator => Some(Trick::Space),
            GeneralCategory::Unassigned | GeneralCategory::PrivateUse => Some(Trick::Unassigned),
            _ => None,
        },
    }
}

/// Whether it is the invisible part of an emoji: between two of them, or behind one.
fn joins_emoji(before: Option<char>, character: char, after: Option<char>) -> bool {
    let emoji = |one: Option<char>| one.is_some_and(|one| !one.is_ascii() && one.is_emoji_char());
    match character {
        '\u{fe0f}' => emoji(before),
        '\u{200d}' => (emoji(before) || before == Some('\u{fe0f}')) && emoji(after),
        _ => false,
    }
}

fn is_mark(character: char) -> bool {
    let category = character.general_category();
    matches!(category, GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark)
}

/// The words of a text with the byte each begins at; parts of a host name are words.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let inside = |one: char| one.is_alphanumeric() || is_mark(one);
    let parts = text.split(move |one: char| !inside(one));
    parts.scan(0, move |at, part| {
        let start = *at;
        let behind = text.get(start + part.len()..).and_then(|rest| rest.chars().next());
        *at = start + part.len() + behind.map_or(0, char::len_utf8);
        Some((start, part))
    })
}

/// What a word gives away as a whole.
fn of_word(word: &str, prose: &[AugmentedScriptSet]) -> Option<Trick> {
    if word.is_ascii() || !word.chars().any(|one| !one.is_ascii() && one.is_alphanumeric()) {
        return None;
    }
    if !one_script(word) {
        return Some(Trick::MixedScripts);
    }
    // Words of one letter are common in prose: `а`, `о`, `с`.
    let excused = || {
        let scripts = word.resolve_script_set();
        word.chars().count() == 1 && prose.iter().any(|others| share(*others, scripts))
    };
    (looks_plain(word) && !excused()).then_some(Trick::Lookalike)
}

/// Whether all letters are of one script, or of Latin and one of East Asia, which are written
/// together and do not look alike (UTS 39, "highly restrictive").
fn one_script(word: &str) -> bool {
    if word.is_single_script() {
        return true;
    }
    let rest: String = word.chars().filter(|one| !is_latin(*one)).collect();
    let rest = rest.as_str().resolve_script_set();
    rest.hanb || rest.jpan || rest.kore
}

fn is_latin(character: char) -> bool {
    shares_script(character, 'a')
}

/// Whether two characters may stand in one word; digits and marks go with everything.
fn shares_script(one: char, other: char) -> bool {
    share(AugmentedScriptSet::for_char(one), AugmentedScriptSet::for_char(other))
}

fn share(mut scripts: AugmentedScriptSet, others: AugmentedScriptSet) -> bool {
    scripts.intersect_with(others);
    !scripts.is_empty()
}

/// Whether a word with other characters looks like one of ASCII alone.
fn looks_plain(word: &str) -> bool {
    skeleton(word).all(|one| one.is_ascii())
}

/// The scripts in which the text is plainly written, each once: those of its words of more than one
/// letter that look like no word of ASCII.
fn prose(text: &str) -> Vec<AugmentedScriptSet> {
    let mut found: Vec<AugmentedScriptSet> = Vec::new();
    for (_, word) in words(text) {
        let mut letters = word.chars();
        if word.is_ascii() || letters.next().is_none() || letters.next().is_none() {
            continue;
        }
        let scripts = word.resolve_script_set();
        if !scripts.is_empty() && !found.contains(&scripts) && !looks_plain(word) {
            found.push(scripts);
        }
    }
    found
}

#[cfg(test)]
mod tests;
