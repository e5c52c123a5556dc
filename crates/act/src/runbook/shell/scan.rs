//! Follows the quoting states of a script and collects the words of its commands.

use super::Unit;
use super::command::{self, Word};
use super::heredoc::Heredoc;
use crate::runbook::problem::Fault;

/// What the text at hand is inside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Words of commands. `bool`: opened by a `(`, so a `)` ends it.
    Command {
        closes: bool,
    },
    Single,
    Double,
    /// `${…}`.
    Parameter,
    /// `$((…))` and `((…))`, with the brackets open in it.
    Arithmetic {
        depth: u32,
    },
    /// `[[ … ]]`.
    Test,
    Comment,
}

pub(super) struct Scanner<'a> {
    pub(super) units: &'a [(usize, Unit)],
    variables: &'a [&'a str],
    pub(super) at: usize,
    states: Vec<State>,
    /// The commands being read, one for each open `Command` state.
    commands: Vec<Vec<Word>>,
    /// The word being read.
    word: Option<Word>,
    /// The words left unfinished around it.
    outer: Vec<Option<Word>>,
    pub(super) heredocs: Vec<Heredoc>,
    faults: Vec<Fault>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(units: &'a [(usize, Unit)], variables: &'a [&'a str]) -> Self {
        Self {
            units,
            variables,
            at: 0,
            states: vec![State::Command { closes: false }],
            commands: vec![Vec::new()],
            word: None,
            outer: Vec::new(),
            heredocs: Vec::new(),
            faults: Vec::new(),
        }
    }

    pub(super) fn run(mut self) -> Vec<Fault> {
        while let Some((offset, unit)) = self.next() {
            match (self.state(), unit) {
                (state, Unit::Placeholder) => self.placeholder(state, offset),
                (State::Command { .. }, Unit::Char(character)) => self.command(offset, character),
                (State::Single, Unit::Char(character)) => self.single(character),
                (State::Double, Unit::Char(character)) => self.double(offset, character),
                (State::Parameter, Unit::Char(character)) => self.parameter(offset, character),
                (State::Arithmetic { depth }, Unit::Char(character)) => {
                    self.arithmetic(offset, character, depth);
                }
                (State::Test, Unit::Char(character)) => self.test(offset, character),
                (State::Comment, Unit::Char(character)) => {
                    if character == '\n' {
                        self.states.pop();
                        self.line_end();
                    }
                }
            }
        }
        while !self.commands.is_empty() {
            self.end_command();
            self.commands.pop();
            self.word = self.outer.pop().flatten();
        }
        let end = self.units.last().map_or(0, |(offset, _)| *offset);
        if self.states.len() > 1 && self.state() != State::Comment {
            self.fault(end, "unclosed", "a quote or bracket of the script is never closed", None);
        }
        self.faults
    }

    pub(super) fn next(&mut self) -> Option<(usize, Unit)> {
        let unit = self.units.get(self.at).copied();
        self.at += 1;
        unit
    }

    pub(super) fn peek(&self, ahead: usize) -> Option<char> {
        match self.units.get(self.at + ahead) {
            Some((_, Unit::Char(character))) => Some(*character),
            _ => None,
        }
    }

    pub(super) fn placeholder_next(&self) -> bool {
        matches!(self.units.get(self.at), Some((_, Unit::Placeholder)))
    }

    fn state(&self) -> State {
        self.states.last().copied().unwrap_or(State::Command { closes: false })
    }

    pub(super) fn fault(
        &mut self,
        offset: usize,
        code: &'static str,
        message: &str,
        hint: Option<&'static str>,
    ) {
        // One fault a place is enough.
        if self.faults.iter().all(|fault| fault.offset != offset) {
            self.faults.push(Fault { offset, code, message: message.to_owned(), hint });
        }
    }

    fn placeholder(&mut self, state: State, offset: usize) {
        const BARE: &str = "write it as a bare word, {{ x }}, or read a variable: \"$NAME\"";
        let (code, message) = match state {
            State::Command { .. } if self.states.contains(&State::Double) => (
                "placeholder_in_quotes",
                "a placeholder inside a command substitution inside double quotes",
            ),
            State::Command { .. } => {
                self.word().placeholder(offset);
                return;
            }
            State::Single => ("placeholder_in_quotes", "a placeholder inside single quotes"),
            State::Double => ("placeholder_in_quotes", "a placeholder inside double quotes"),
            State::Parameter => ("placeholder_in_expansion", "a placeholder inside ${ }"),
            State::Arithmetic { .. } => {
                ("placeholder_in_arithmetic", "a placeholder inside shell arithmetic")
            }
            State::Test => (
                "placeholder_in_test",
                "a placeholder inside [[ ]], which evaluates numbers as arithmetic",
            ),
            State::Comment => ("placeholder_in_comment", "a placeholder inside a comment"),
        };
        let hint = if state == State::Test { "use [ ] instead" } else { BARE };
        self.fault(offset, code, message, Some(hint));
    }

    /// The word at hand of the command at hand.
    pub(super) fn word(&mut self) -> &mut Word {
        self.word.get_or_insert_default()
    }

    fn command(&mut self, offset: usize, character: char) {
        match character {
            '\'' => {
                self.word().quoted = true;
                self.states.push(State::Single);
            }
            '"' => {
                self.word().quoted = true;
                self.states.push(State::Double);
            }
            '\\' => self.backslash(offset),
            '$' => self.dollar(offset),
            '`' => self.backtick(offset),
            '#' if self.word.is_none() => {
                self.states.push(State::Comment);
            }
            '\n' => self.line_end(),
            ' ' | '\t' | '\r' => self.end_word(),
            ';' | '&' | '|' => self.end_command(),
            '<' if self.peek(0) == Some('<') => self.heredoc(offset),
            '<' | '>' => {
                self.drop_descriptor();
                self.end_word();
                if self.peek(0) == Some('(') {
                    self.at += 1;
                    self.open(State::Command { closes: true });
                } else {
                    while matches!(self.peek(0), Some('<' | '>' | '&' | '|')) {
                        self.at += 1;
                    }
                    // The target of a redirection is no word of the command.
                    self.word().redirection = true;
                    while matches!(self.peek(0), Some(' ' | '\t')) {
                        self.at += 1;
                    }
                }
            }
            '(' => self.bracket(),
            ')' => self.close(),
            _ => self.plain(offset, character),
        }
    }

    /// `2` of `2>` and `{fd}` of `{fd}>` are no words of the command.
    pub(super) fn drop_descriptor(&mut self) {
        if self.word.as_ref().is_some_and(Word::descriptor) {
            self.word = None;
        }
    }

    fn plain(&mut self, offset: usize, character: char) {
        let space_next = matches!(self.peek(0), Some(' ' | '\t' | '\n'));
        let nested = self.states.len() > 1;
        let word = self.word();
        word.text.push(character);
        if word.text == "[[" && !word.quoted && space_next {
            self.states.push(State::Test);
        } else if word.text == "case" && !word.quoted && nested {
            self.fault(
                offset,
                "too_complex",
                "a case inside brackets cannot be followed beside placeholders",
                Some("move the case out of the brackets"),
            );
        }
    }

    fn backslash(&mut self, offset: usize) {
        if self.placeholder_next() {
            let at = self.units.get(self.at).map_or(offset, |(offset, _)| *offset);
            self.fault(
                at,
                "placeholder_after_backslash",
                "a backslash before a placeholder undoes its quoting",
                Some("leave the backslash out"),
            );
            return;
        }
        match self.next() {
            // A continued line: neither a character nor the end of a word.
            Some((_, Unit::Char('\n'))) => {}
            Some((_, Unit::Char(character))) => {
                let word = self.word();
                word.text.push(character);
                word.quoted = true;
            }
            Some((_, Unit::Placeholder)) | None => {}
        }
    }

    fn backtick(&mut self, offset: usize) {
        self.fault(
            offset,
            "backticks",
            "backticks cannot be followed beside placeholders",
            Some("write $( ) instead"),
        );
    }

    fn dollar(&mut self, offset: usize) {
        if self.placeholder_next() {
            let at = self.units.get(self.at).map_or(offset, |(offset, _)| *offset);
            self.fault(
                at,
                "placeholder_after_dollar",
                "a dollar sign before a placeholder changes what its quotes mean",
                Some("leave the dollar sign out"),
            );
            return;
        }
        self.word().text.push('$');
        match (self.peek(0), self.peek(1)) {
            (Some('\''), _) if !matches!(self.state(), State::Double) => self.fault(
                offset,
                "ansi_c_quote",
                "$'…' means different things in different shells",
                Some("use '…' or printf"),
            ),
            (Some('('), Some('(')) => {
                self.at += 2;
                self.states.push(State::Arithmetic { depth: 2 });
            }
            (Some('('), _) => {
                self.at += 1;
                self.open(State::Command { closes: true });
            }
            (Some('['), _) => {
                self.at += 1;
                self.states.push(State::Arithmetic { depth: 1 });
            }
            (Some('{'), _) => {
                self.at += 1;
                self.variable(offset);
                self.states.push(State::Parameter);
            }
            _ => self.variable(offset),
        }
    }

    /// Notes a variable from outside in the word that reads it.
    fn variable(&mut self, offset: usize) {
        let name: String = (0..)
            .map_while(|ahead| self.peek(ahead))
            .take_while(|character| character.is_ascii_alphanumeric() || *character == '_')
            .collect();
        if self.variables.contains(&name.as_str()) {
            self.word().variable(offset);
        }
    }

    fn single(&mut self, character: char) {
        if character == '\'' {
            self.states.pop();
        } else {
            self.word().text.push(character);
        }
    }

    fn double(&mut self, offset: usize, character: char) {
        match character {
            '"' => {
                self.states.pop();
            }
            '\\' if !self.placeholder_next() => {
                self.at += 1;
            }
            '$' if !self.placeholder_next() => self.dollar(offset),
            '`' => self.backtick(offset),
            _ => self.word().text.push(character),
        }
    }

    fn parameter(&mut self, offset: usize, character: char) {
        match character {
            '}' => {
                self.states.pop();
            }
            '\\' if !self.placeholder_next() => self.at += 1,
            '$' if self.peek(0) == Some('{') => {
                self.at += 1;
                self.states.push(State::Parameter);
            }
            '\'' | '"' | '`' => self.too_complex(offset, "a quote inside ${ }"),
            '$' if self.peek(0) == Some('(') => {
                self.too_complex(offset, "a command substitution inside ${ }");
            }
            _ => {}
        }
    }

    fn arithmetic(&mut self, offset: usize, character: char, depth: u32) {
        if character == '$' && self.peek(0) == Some('{') {
            self.at += 1;
            self.states.push(State::Parameter);
            return;
        }
        let depth = match character {
            '(' | '[' => depth + 1,
            ')' | ']' => depth.saturating_sub(1),
            '\'' | '"' | '`' | '\\' => {
                self.too_complex(offset, "a quote inside shell arithmetic");
                depth
            }
            _ => depth,
        };
        self.states.pop();
        if depth > 0 {
            self.states.push(State::Arithmetic { depth });
        }
    }

    pub(super) fn too_complex(&mut self, offset: usize, what: &str) {
        self.fault(
            offset,
            "too_complex",
            &format!("{what} cannot be followed beside placeholders"),
            Some("split the step, or keep the placeholders out of it"),
        );
    }

    fn test(&mut self, offset: usize, character: char) {
        match character {
            '\'' => self.states.push(State::Single),
            '"' => self.states.push(State::Double),
            '\\' if !self.placeholder_next() => self.at += 1,
            '$' if !self.placeholder_next() => self.dollar(offset),
            '`' => self.backtick(offset),
            ']' if self.peek(0) == Some(']') && self.after_space() => {
                self.at += 1;
                self.states.pop();
            }
            _ => {}
        }
    }

    /// Whether white space stands before the character at hand.
    fn after_space(&self) -> bool {
        let before = self.at.checked_sub(2).and_then(|index| self.units.get(index));
        matches!(before, Some((_, Unit::Char(character))) if character.is_whitespace())
    }

    fn bracket(&mut self) {
        if self.word.is_none() && self.peek(0) == Some('(') {
            // Two subshells look the same; taking them for arithmetic errs on the safe side.
            self.at += 1;
            self.states.push(State::Arithmetic { depth: 2 });
            self.word().text.push_str("((");
        } else if self.peek(0) == Some(')') {
            // A function's name is no command; its body begins anew.
            self.at += 1;
            self.word = None;
            if let Some(command) = self.commands.last_mut() {
                command.clear();
            }
        } else {
            self.open(State::Command { closes: true });
        }
    }

    fn open(&mut self, state: State) {
        self.states.push(state);
        self.commands.push(Vec::new());
        self.outer.push(self.word.take());
    }

    fn close(&mut self) {
        self.end_command();
        // A `)` with nothing open ends a pattern of a `case`.
        if self.state() == (State::Command { closes: true }) {
            self.states.pop();
            self.commands.pop();
            self.word = self.outer.pop().flatten();
        }
    }

    pub(super) fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        if word.redirection {
            return;
        }
        if let Some(command) = self.commands.last_mut() {
            command.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        let Some(words) = self.commands.last_mut().map(std::mem::take) else { return };
        for fault in command::check(&words) {
            self.fault(fault.offset, fault.code, &fault.message, fault.hint);
        }
    }

    fn line_end(&mut self) {
        self.end_command();
        for heredoc in std::mem::take(&mut self.heredocs) {
            self.heredoc_body(&heredoc);
        }
    }
}
