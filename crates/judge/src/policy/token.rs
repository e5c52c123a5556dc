//! The tokens of a Rego file, with their places: enough to see what the engine would misread.

/// What kind of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword.
    Name,
    /// A number.
    Number,
    /// A string, quoted or raw.
    Text,
    /// Anything else, one character each.
    Symbol,
}

/// One token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// From 1.
    pub(super) line: u32,
    /// In characters, from 1.
    pub(super) column: u32,
    /// Byte offsets.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether nothing but blanks and comments stands before it on its line.
    pub(super) first: bool,
}

impl Token<'_> {
    pub(super) fn is(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    pub(super) fn named(&self, name: &str) -> bool {
        self.kind == Kind::Name && self.text == name
    }
}

/// The tokens of a file, comments left out. What is no Rego comes out as symbols; the engine's own
/// parser refuses it.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut scanner = Scanner { source, at: 0, line: 1, column: 1 };
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut last_line = 0;
    while let Some(next) = scanner.peek() {
        match next {
            '#' => scanner.take_while(|c| c != '\n'),
            c if c.is_whitespace() => scanner.bump(),
            c => {
                let (start, line, column) = (scanner.at, scanner.line, scanner.column);
                let kind = scanner.token(c);
                let text = source.get(start..scanner.at).unwrap_or_default();
                let first = line != last_line;
                tokens.push(Token { kind, text, line, column, start, end: scanner.at, first });
                last_line = scanner.line;
            }
        }
    }
    tokens
}

struct Scanner<'a> {
    source: &'a str,
    at: usize,
    line: u32,
    column: u32,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<char> {
        self.source.get(self.at..).and_then(|rest| rest.chars().next())
    }

    fn bump(&mut self) {
        if let Some(c) = self.peek() {
            self.at += c.len_utf8();
            if c == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&keep) {
            self.bump();
        }
    }

    fn token(&mut self, first: char) -> Kind {
        match first {
            '"' => {
                self.quoted();
                Kind::Text
            }
            '`' => {
                self.bump();
                self.take_while(|c| c != '`');
                self.bump();
                Kind::Text
            }
            c if c.is_ascii_digit() => {
                self.take_while(|c| c.is_ascii_alphanumeric() || c == '.');
                Kind::Number
            }
            c if c == '_' || c.is_alphabetic() => {
                self.take_while(|c| c == '_' || c.is_alphanumeric());
                Kind::Name
            }
            _ => {
                self.bump();
                Kind::Symbol
            }
        }
    }

    /// A quoted string ends at its quote or, unfinished, at the end of its line.
    fn quoted(&mut self) {
        self.bump();
        while let Some(c) = self.peek() {
            if c == '\n' {
                return;
            }
            self.bump();
            match c {
                '"' => return,
                '\\' => self.bump(),
                _ => {}
            }
        }
    }
}
