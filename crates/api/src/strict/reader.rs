//! The reader behind `strict`: RFC 8259 by recursive descent, with the path at hand.

use std::fmt::Write as _;
use std::ops::Range;

use serde_json::{Map, Number, Value};

use super::{BadInput, Code, Document, Limits};

/// How many faults are collected before the body as a whole is refused.
const MAX_FAULTS: usize = 10_000;

/// How much of a key a path shows, in characters.
const MAX_KEY_SHOWN: usize = 100;

/// One step from a value to a value inside it.
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

/// Where the reader is: a list on the call stack, written out only when there is a fault.
struct Place<'a> {
    outer: Option<&'a Place<'a>>,
    step: Step<'a>,
    depth: usize,
}

impl<'a> Place<'a> {
    const fn inside(outer: &'a Place<'a>, step: Step<'a>) -> Self {
        Self { outer: Some(outer), step, depth: outer.depth + 1 }
    }

    fn pointer(&self) -> String {
        let mut pointer = self.outer.map(Self::pointer).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Index(index) => {
                // Writing to a String cannot fail.
                let _infallible = write!(pointer, "/{index}");
            }
            Step::Key(key) => {
                pointer.push('/');
                push_key(&mut pointer, key);
            }
        }
        pointer
    }
}

fn push_key(pointer: &mut String, key: &str) {
    for (shown, character) in key.chars().enumerate() {
        match character {
            _ if shown == MAX_KEY_SHOWN => {
                pointer.push('…');
                return;
            }
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            control if control.is_control() => {
                let _infallible = write!(pointer, "\\u{:04x}", u32::from(control));
            }
            plain => pointer.push(plain),
        }
    }
}

/// A reader over one body.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    limits: Limits,
    values: usize,
    faults: Vec<BadInput>,
    wanted: Option<&'a str>,
    items: Vec<Range<usize>>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8], limits: &Limits, wanted: Option<&'a str>) -> Self {
        Self {
            bytes,
            at: 0,
            limits: *limits,
            values: 0,
            faults: Vec::new(),
            wanted,
            items: Vec::new(),
        }
    }

    pub(super) fn document(mut self) -> Result<Document, BadInput> {
        let root = Place { outer: None, step: Step::Root, depth: 0 };
        if self.bytes.len() > self.limits.bytes {
            let message = format!("at most {} bytes are read", self.limits.bytes);
            return Err(BadInput::new("", Code::TooLarge, message));
        }
        self.skip_blanks();
        let value = self.value(&root)?;
        self.skip_blanks();
        if self.at < self.bytes.len() {
            return Err(self.syntax(&root, "nothing more after the value"));
        }
        Ok(Document { value, faults: self.faults, items: self.items })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Takes `byte` if it is next.
    fn take(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    fn syntax(&self, place: &Place<'_>, expected: &str) -> BadInput {
        let before = self.bytes.get(..self.at).unwrap_or(self.bytes);
        let line = 1 + before.split(|byte| *byte == b'\n').count().saturating_sub(1);
        let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
        let found = if self.at < self.bytes.len() { "" } else { ", but the body ends" };
        let message = format!("expected {expected} at line {line}, column {column}{found}");
        BadInput::new(place.pointer(), Code::Syntax, message)
    }

    /// Notes a fault that leaves the form of the body intact.
    fn fault(&mut self, place: &Place<'_>, code: Code, message: &str) -> Result<(), BadInput> {
        let fault = BadInput::new(place.pointer(), code, message);
        if self.faults.len() >= MAX_FAULTS {
            return Err(fault);
        }
        self.faults.push(fault);
        Ok(())
    }

    fn value(&mut self, place: &Place<'_>) -> Result<Value, BadInput> {
        self.values += 1;
        if self.values > self.limits.values {
            let message = format!("at most {} values are read", self.limits.values);
            return Err(BadInput::new(place.pointer(), Code::TooLarge, message));
        }
        match self.peek() {
            Some(b'{') => self.object(place),
            Some(b'[') => self.array(place),
            Some(b'"') => self.string(place).map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(place),
            Some(b't') => self.literal(place, "true", Value::Bool(true)),
            Some(b'f') => self.literal(place, "false", Value::Bool(false)),
            Some(b'n') => self.literal(place, "null", Value::Null),
            _ => Err(self.syntax(place, "a value")),
        }
    }

    fn literal(&mut self, place: &Place<'_>, word: &str, value: Value) -> Result<Value, BadInput> {
        if self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes())) {
            self.at += word.len();
            return Ok(value);
        }
        Err(self.syntax(place, "a value"))
    }

    /// Steps over the bracket that opens an array or object.
    fn enter(&mut self, place: &Place<'_>) -> Result<(), BadInput> {
        if place.depth >= self.limits.depth {
            let message = format!("at most {} levels are read", self.limits.depth);
            return Err(BadInput::new(place.pointer(), Code::TooDeep, message));
        }
        self.at += 1;
        self.skip_blanks();
        Ok(())
    }

    fn object(&mut self, place: &Place<'_>) -> Result<Value, BadInput> {
        self.enter(place)?;
        let mut map = Map::new();
        if self.take(b'}') {
            return Ok(Value::Object(map));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.syntax(place, "a key in double quotes"));
            }
            let key = self.string(place)?;
            let inner = Place::inside(place, Step::Key(&key));
            self.skip_blanks();
            if !self.take(b':') {
                return Err(self.syntax(&inner, "a colon"));
            }
            self.skip_blanks();
            let value = self.value(&inner)?;
            if map.contains_key(&key) {
                self.fault(&inner, Code::DuplicateKey, "this key is there more than once")?;
            } else {
                map.insert(key, value);
            }
            self.skip_blanks();
            if self.take(b'}') {
                return Ok(Value::Object(map));
            }
            if !self.take(b',') {
                return Err(self.syntax(place, "a comma or a closing brace"));
            }
            self.skip_blanks();
        }
    }

    fn array(&mut self, place: &Place<'_>) -> Result<Value, BadInput> {
        let wanted = self.wanted.is_some_and(|wanted| place.pointer() == wanted);
        self.enter(place)?;
        let mut list = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(list));
        }
        loop {
            let start = self.at;
            list.push(self.value(&Place::inside(place, Step::Index(list.len())))?);
            if wanted {
                self.items.push(start..self.at);
            }
            self.skip_blanks();
            if self.take(b']') {
                return Ok(Value::Array(list));
            }
            if !self.take(b',') {
                return Err(self.syntax(place, "a comma or a closing bracket"));
            }
            self.skip_blanks();
        }
    }

    /// A string or key. U+0000 is noted at `place` and replaced by U+FFFD.
    fn string(&mut self, place: &Place<'_>) -> Result<String, BadInput> {
        self.at += 1;
        let mut text = String::new();
        let mut nul = false;
        loop {
            let start = self.at;
            while matches!(self.peek(), Some(byte) if byte >= b' ' && byte != b'"' && byte != b'\\')
            {
                self.at += 1;
            }
            let run = self.bytes.get(start..self.at).unwrap_or_default();
            text.push_str(std::str::from_utf8(run).map_err(|_| {
                BadInput::new(place.pointer(), Code::Encoding, "a string is not valid UTF-8")
            })?);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    let character = self.escape(place)?;
                    nul |= character == '\0';
                    text.push(if character == '\0' {
                        char::REPLACEMENT_CHARACTER
                    } else {
                        character
                    });
                }
                Some(_) => return Err(self.syntax(place, "control characters to be escaped")),
                None => return Err(self.syntax(place, "a closing double quote")),
            }
        }
        self.at += 1;
        if nul {
            self.fault(place, Code::Nul, "a string holds U+0000")?;
        }
        Ok(text)
    }

    fn escape(&mut self, place: &Place<'_>) -> Result<char, BadInput> {
        self.at += 1;
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode(place);
            }
            _ => return Err(self.syntax(place, "an escape JSON knows")),
        };
        self.at += 1;
        Ok(character)
    }

    /// The character of `\uXXXX`, or of two of them that make a pair.
    fn unicode(&mut self, place: &Place<'_>) -> Result<char, BadInput> {
        let lone =
            || BadInput::new(place.pointer(), Code::Encoding, "a string holds a lone surrogate");
        let first = self.four_digits(place)?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or_else(lone);
        }
        if !(self.take(b'\\') && self.take(b'u')) {
            return Err(lone());
        }
        let second = self.four_digits(place)?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(lone());
        }
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or_else(lone)
    }

    fn four_digits(&mut self, place: &Place<'_>) -> Result<u32, BadInput> {
        let mut number = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.syntax(place, "four hexadecimal digits"));
            };
            number = number * 16 + digit;
            self.at += 1;
        }
        Ok(number)
    }

    fn digits(&mut self, place: &Place<'_>) -> Result<(), BadInput> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.syntax(place, "a digit")) } else { Ok(()) }
    }

    fn number(&mut self, place: &Place<'_>) -> Result<Value, BadInput> {
        let start = self.at;
        let mut integer = true;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits(place)?;
        }
        if self.take(b'.') {
            integer = false;
            self.digits(place)?;
        }
        if self.take(b'e') || self.take(b'E') {
            integer = false;
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits(place)?;
        }
        let digits = self.bytes.get(start..self.at).unwrap_or_default();
        let text = std::str::from_utf8(digits).unwrap_or_default();
        // `-0` has no integer of its own; every other integer must be one exactly.
        let number = if integer && text != "-0" {
            let signed = text.parse::<i64>().map(Number::from);
            signed.or_else(|_| text.parse::<u64>().map(Number::from)).ok()
        } else {
            text.parse::<f64>().ok().and_then(Number::from_f64)
        };
        if let Some(number) = number {
            return Ok(Value::Number(number));
        }
        self.fault(place, Code::Number, "no 64-bit integer or float holds this number")?;
        Ok(Value::Null)
    }
}
