//! Here-documents: where one begins, and that no placeholder is inside of it.

use super::Unit;
use super::scan::Scanner;

/// A here-document announced on the line at hand.
#[derive(Debug)]
pub(super) struct Heredoc {
    delimiter: String,
    tabs: bool,
}

impl Scanner<'_> {
    /// Reads `<<` and what ends the document; `<<<` is a word like any other.
    pub(super) fn heredoc(&mut self, offset: usize) {
        self.drop_descriptor();
        self.end_word();
        self.at += 1;
        if self.peek(0) == Some('<') {
            self.at += 1;
            self.word().redirection = true;
            while matches!(self.peek(0), Some(' ' | '\t')) {
                self.at += 1;
            }
            return;
        }
        let tabs = self.peek(0) == Some('-');
        if tabs {
            self.at += 1;
        }
        while matches!(self.peek(0), Some(' ' | '\t')) {
            self.at += 1;
        }
        let mut delimiter = String::new();
        let mut quote = None;
        while let Some(character) = self.peek(0) {
            match character {
                '\n' => break,
                _ if quote == Some(character) => quote = None,
                '\'' | '"' if quote.is_none() => quote = Some(character),
                ' ' | '\t' | ';' | '&' | '|' | '(' | ')' | '<' | '>' if quote.is_none() => break,
                '$' | '`' | '\\' => {
                    self.too_complex(offset, "a here-document whose end is not a plain word");
                }
                _ => delimiter.push(character),
            }
            self.at += 1;
        }
        if self.placeholder_next() {
            self.fault(
                self.units.get(self.at).map_or(offset, |(offset, _)| *offset),
                "placeholder_in_heredoc",
                "a placeholder names the end of a here-document",
                None,
            );
        }
        self.heredocs.push(Heredoc { delimiter, tabs });
    }

    pub(super) fn heredoc_body(&mut self, heredoc: &Heredoc) {
        let mut line = String::new();
        while let Some((offset, unit)) = self.next() {
            match unit {
                Unit::Placeholder => {
                    self.fault(
                        offset,
                        "placeholder_in_heredoc",
                        "a placeholder inside a here-document",
                        Some("pipe it instead: printf '%s\\n' {{ x }} | command"),
                    );
                    line.push('\u{fffc}');
                }
                Unit::Char('\n') => {
                    if ends(&line, heredoc) {
                        return;
                    }
                    if line.ends_with('\\') {
                        self.too_complex(offset, "a continued line inside a here-document");
                    }
                    line.clear();
                }
                Unit::Char(character) => line.push(character),
            }
        }
    }
}

fn ends(line: &str, heredoc: &Heredoc) -> bool {
    let line = if heredoc.tabs { line.trim_start_matches('\t') } else { line };
    line == heredoc.delimiter
}
