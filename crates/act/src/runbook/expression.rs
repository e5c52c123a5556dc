//! Template expressions read just far enough to know what they refer to.
//!
//! minijinja evaluates; this module says which variables, filters and calls an expression holds,
//! so that lint can name them and a value's provenance is known before anything is evaluated.

use super::problem::Fault;

/// Filters an expression may use; all are pure functions of text, numbers and lists.
pub(crate) const FILTERS: &[&str] = &[
    "abs",
    "capitalize",
    "default",
    "first",
    "float",
    "int",
    "join",
    "last",
    "length",
    "lower",
    "replace",
    "round",
    "split",
    "string",
    "title",
    "trim",
    "upper",
];

/// The longest expression taken, in bytes.
const MAX_BYTES: usize = 2_000;

/// A variable an expression reads: `alert.labels.service` is its three parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) offset: usize,
    pub(crate) parts: Vec<String>,
    /// Whether a subscript that is no literal follows: what is read is known only later.
    pub(crate) open: bool,
}

impl Reference {
    pub(crate) fn root(&self) -> &str {
        self.parts.first().map_or("", String::as_str)
    }

    pub(crate) fn path(&self) -> String {
        self.parts.join(".")
    }
}

/// What an expression holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expression {
    pub(crate) references: Vec<Reference>,
    /// Names after `|`, with their offsets.
    pub(crate) filters: Vec<(usize, String)>,
    /// Whether the whole is one reference and nothing else.
    pub(crate) bare: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Number,
    Sign(char),
}

/// Reads an expression.
pub(crate) fn read(source: &str) -> Result<Expression, Fault> {
    if source.len() > MAX_BYTES {
        return Err(Fault::new(
            0,
            "expression_too_long",
            format!("the expression has {} bytes; at most {MAX_BYTES} are taken", source.len()),
        ));
    }
    let tokens = tokens(source)?;
    // minijinja is the judge of syntax; what follows only collects names.
    if let Err(error) = syntax().compile_expression(source) {
        return Err(Fault::new(
            error.range().map_or(0, |range| range.start.min(source.len())),
            "expression_syntax",
            format!("the expression cannot be read: {}", detail(&error)),
        ));
    }
    collect(&tokens)
}

/// The words of an engine error, without its position: ours is better.
pub(crate) fn detail(error: &minijinja::Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
}

fn syntax() -> minijinja::Environment<'static> {
    let mut environment = minijinja::Environment::empty();
    environment.set_recursion_limit(40);
    environment
}

fn collect(tokens: &[(usize, Token)]) -> Result<Expression, Fault> {
    let mut found = Expression { references: Vec::new(), filters: Vec::new(), bare: false };
    let mut at = 0;
    while let Some((offset, token)) = tokens.get(at) {
        let before = at.checked_sub(1).and_then(|index| tokens.get(index)).map(|(_, token)| token);
        let Token::Name(name) = token else {
            at += 1;
            continue;
        };
        if before == Some(&Token::Sign('|')) {
            found.filters.push((*offset, name.clone()));
            at += 1;
        } else if keyword(name)
            || named(before, "is")
            || after_is_not(tokens, at)
            || argument_name(tokens, at)
        {
            at += 1;
        } else {
            let (reference, next) = reference(tokens, at, *offset, name);
            if tokens.get(next).map(|(_, token)| token) == Some(&Token::Sign('(')) {
                return Err(Fault::new(
                    *offset,
                    "call",
                    format!("{}() is a call; expressions may use filters only", reference.path()),
                ));
            }
            found.bare = at == 0 && next == tokens.len() && !reference.open;
            found.references.push(reference);
            at = next;
        }
    }
    Ok(found)
}

fn reference(
    tokens: &[(usize, Token)],
    at: usize,
    offset: usize,
    name: &str,
) -> (Reference, usize) {
    let mut reference = Reference { offset, parts: vec![name.to_owned()], open: false };
    let mut next = at + 1;
    let token = |index: usize| tokens.get(index).map(|(_, token)| token);
    loop {
        match (token(next), token(next + 1), token(next + 2)) {
            (Some(Token::Sign('.')), Some(Token::Name(part)), _) => {
                reference.parts.push(part.clone());
                next += 2;
            }
            (Some(Token::Sign('[')), Some(Token::Text(part)), Some(Token::Sign(']'))) => {
                reference.parts.push(part.clone());
                next += 3;
            }
            (Some(Token::Sign('[')), ..) => {
                reference.open = true;
                return (reference, next);
            }
            _ => return (reference, next),
        }
    }
}

fn keyword(name: &str) -> bool {
    matches!(
        name,
        "and"
            | "or"
            | "not"
            | "in"
            | "is"
            | "if"
            | "else"
            | "true"
            | "false"
            | "none"
            | "True"
            | "False"
            | "None"
    )
}

fn named(token: Option<&Token>, wanted: &str) -> bool {
    matches!(token, Some(Token::Name(name)) if name == wanted)
}

/// The name of a test after `is not`.
fn after_is_not(tokens: &[(usize, Token)], at: usize) -> bool {
    let token = |back: usize| {
        at.checked_sub(back).and_then(|index| tokens.get(index)).map(|(_, token)| token)
    };
    named(token(1), "not") && named(token(2), "is")
}

/// `name=` inside a call's brackets.
fn argument_name(tokens: &[(usize, Token)], at: usize) -> bool {
    let token = |index: usize| tokens.get(index).map(|(_, token)| token);
    let after_bracket = at
        .checked_sub(1)
        .and_then(token)
        .is_some_and(|token| matches!(token, Token::Sign('(' | ',')));
    after_bracket
        && token(at + 1) == Some(&Token::Sign('='))
        && token(at + 2) != Some(&Token::Sign('='))
}

fn tokens(source: &str) -> Result<Vec<(usize, Token)>, Fault> {
    let mut tokens = Vec::new();
    let mut rest = source.char_indices().peekable();
    while let Some((offset, character)) = rest.next() {
        if character.is_whitespace() {
            continue;
        }
        if character == '"' || character == '\'' {
            let mut text = String::new();
            loop {
                match rest.next() {
                    Some((_, '\\')) => text.extend(rest.next().map(|(_, escaped)| escaped)),
                    Some((_, end)) if end == character => break,
                    Some((_, inner)) => text.push(inner),
                    None => {
                        return Err(Fault::new(
                            offset,
                            "expression_syntax",
                            "a text in the expression has no closing quote",
                        ));
                    }
                }
            }
            tokens.push((offset, Token::Text(text)));
        } else if character.is_alphabetic() || character == '_' {
            let mut name = String::from(character);
            while let Some((_, next)) = rest.next_if(|(_, c)| c.is_alphanumeric() || *c == '_') {
                name.push(next);
            }
            tokens.push((offset, Token::Name(name)));
        } else if character.is_ascii_digit() {
            while rest.next_if(|(_, c)| c.is_ascii_alphanumeric() || *c == '_').is_some() {}
            tokens.push((offset, Token::Number));
        } else if matches!(character, '{' | '}') {
            return Err(Fault::new(
                offset,
                "expression_syntax",
                format!("{character} has no place in an expression"),
            ));
        } else {
            tokens.push((offset, Token::Sign(character)));
        }
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests;
