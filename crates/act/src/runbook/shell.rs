//! Where in a shell script a placeholder stands: a value is safe only as a bare word.
//!
//! Quoting makes a value one word where the shell reads words, and nowhere else: inside quotes the
//! added quotes are text, inside here-documents and arithmetic they do nothing, and what `eval` or
//! `sh -c` gets is read a second time (`security.md` D9, measured). This module follows the quoting
//! states of POSIX sh (2.2 to 2.6 of its Shell Command Language), with bash's additions, over a
//! script whose placeholders are opaque, and refuses what it is not sure of.

use super::problem::Fault;
use super::template::Piece;

mod command;
mod heredoc;
mod scan;

use scan::Scanner;

/// What the scanner reads: characters, and placeholders as one unit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Char(char),
    Placeholder,
}

/// Checks every placeholder of a command; `variables` are the shell variables whose values come
/// from outside, which must not be read a second time either.
pub(crate) fn check(pieces: &[Piece], variables: &[&str]) -> Vec<Fault> {
    let mut units = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text { offset, text } => units.extend(
                text.char_indices()
                    .map(|(index, character)| (offset + index, Unit::Char(character))),
            ),
            Piece::Placeholder { offset, .. } => units.push((*offset, Unit::Placeholder)),
        }
    }
    let placeholders = units.iter().any(|(_, unit)| *unit == Unit::Placeholder);
    let script: String = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Text { text, .. } => Some(text.as_str()),
            Piece::Placeholder { .. } => None,
        })
        .collect();
    let variables: Vec<&str> =
        variables.iter().copied().filter(|name| mentions(&script, name)).collect();
    // A script without values from outside is the author's own business.
    if !placeholders && variables.is_empty() {
        return Vec::new();
    }
    Scanner::new(&units, &variables).run()
}

/// Whether a variable changes what the shell itself does.
pub(crate) fn steers(name: &str) -> bool {
    command::steers(name)
}

/// Whether a script reads a shell variable.
fn mentions(script: &str, name: &str) -> bool {
    script.match_indices(name).any(|(index, _)| {
        script.get(..index).is_some_and(|before| before.ends_with('$') || before.ends_with("${"))
    })
}

#[cfg(test)]
mod tests;
