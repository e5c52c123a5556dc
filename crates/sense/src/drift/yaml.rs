//! YAML as templates and manifests are written: several documents, and the short tags of
//! CloudFormation, which readers of YAML drop without a word.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::Number;

use super::value::Value;

#[cfg(test)]
mod tests;

/// The deepest nesting that is read, as deep as JSON is.
pub(super) const MOST_DEEP: usize = 128;
/// The most values of one text.
pub(super) const MOST_VALUES: usize = 4_000_000;

/// Why a text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at line {line}, column {column}")]
pub struct BadYaml {
    what: String,
    line: usize,
    column: usize,
}

/// What a tag of the document's own makes of a value; `None` refuses it.
pub(super) type Tagged = fn(tag: &str, value: Value<'static>) -> Option<Value<'static>>;

/// No tags but YAML's own.
pub(super) fn untagged(_: &str, _: Value<'static>) -> Option<Value<'static>> {
    None
}

/// Every document of a text that holds anything.
///
/// # Errors
/// When it is no YAML, names something twice, refers to another part of itself (such references
/// multiply), has a tag nobody knows, or is too deep or too long.
pub(super) fn read(text: &str, tagged: Tagged) -> Result<Vec<Value<'static>>, BadYaml> {
    let mut parser = Parser::new_from_str(text);
    let mut reader = Reader { open: Vec::new(), documents: Vec::new(), values: 0, tagged };
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|error| BadYaml {
            what: error.info().to_owned(),
            line: error.marker().line(),
            column: error.marker().col() + 1,
        })?;
        reader.take(event).map_err(|what| BadYaml {
            what,
            line: span.start.line(),
            column: span.start.col() + 1,
        })?;
    }
    Ok(reader.documents)
}

struct Reader {
    open: Vec<Open>,
    documents: Vec<Value<'static>>,
    values: usize,
    tagged: Tagged,
}

/// A collection that is not over yet.
struct Open {
    tag: Option<String>,
    held: Held,
}

enum Held {
    List(Vec<Value<'static>>),
    Map { members: Vec<(Cow<'static, str>, Value<'static>)>, name: Option<String> },
}

impl Reader {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, _, tag) => {
                let tag = tag.map(Cow::into_owned);
                let core = tag.as_ref().filter(|tag| tag.is_yaml_core_schema());
                let value = match core {
                    Some(tag) => typed(&text, tag)?,
                    None if style == ScalarStyle::Plain && tag.is_none() => plain(&text),
                    None => Value::text(text.as_ref()),
                };
                let own = tag.filter(|tag| !tag.is_yaml_core_schema()).map(|tag| short(&tag));
                self.done(own, value)
            }
            Event::SequenceStart(_, tag) => self.begin(tag, Held::List(Vec::new())),
            Event::MappingStart(_, tag) => {
                self.begin(tag, Held::Map { members: Vec::new(), name: None })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let value = match open.held {
                    Held::List(items) => Value::List(items),
                    Held::Map { mut members, .. } => {
                        members.sort_by(|one, other| one.0.cmp(&other.0));
                        let twice = members
                            .windows(2)
                            .find(|pair| matches!(pair, [one, other] if one.0 == other.0));
                        if let Some([(name, _), _]) = twice {
                            let name: String = name.chars().take(80).collect();
                            return Err(format!("an object has the name {name:?} twice"));
                        }
                        Value::Map(members)
                    }
                };
                self.done(open.tag, value)
            }
            Event::Alias(_) => Err("references to other parts (`*name`) are not read".to_owned()),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin(&mut self, tag: Option<Cow<'_, Tag>>, held: Held) -> Result<(), String> {
        if self.open.len() >= MOST_DEEP {
            return Err(format!("values are nested deeper than {MOST_DEEP}"));
        }
        let tag = tag.filter(|tag| !tag.is_yaml_core_schema()).map(|tag| short(&tag));
        self.open.push(Open { tag, held });
        Ok(())
    }

    fn done(&mut self, tag: Option<String>, value: Value<'static>) -> Result<(), String> {
        self.values += 1;
        if self.values > MOST_VALUES {
            return Err(format!("there are more than {MOST_VALUES} values"));
        }
        let value = match tag {
            None => value,
            Some(tag) => {
                (self.tagged)(&tag, value).ok_or_else(|| format!("the tag {tag:?} is not known"))?
            }
        };
        match self.open.last_mut().map(|open| &mut open.held) {
            None if value == Value::Null => (),
            None => self.documents.push(value),
            Some(Held::List(items)) => items.push(value),
            Some(Held::Map { members, name }) => match name.take() {
                Some(name) => members.push((Cow::Owned(name), value)),
                None => {
                    *name = Some(super::form::loose(&value).ok_or("a name is no text")?);
                }
            },
        }
        Ok(())
    }
}

fn short(tag: &Tag) -> String {
    format!("{}{}", tag.handle, tag.suffix)
}

/// A scalar that says its type.
fn typed(text: &str, tag: &Tag) -> Result<Value<'static>, String> {
    match tag.suffix.as_str() {
        "str" | "binary" | "timestamp" => Ok(Value::text(text)),
        "null" => Ok(Value::Null),
        "bool" | "int" | "float" => Ok(plain(text)),
        other => {
            Err(format!("the type {:?} is not known", other.chars().take(40).collect::<String>()))
        }
    }
}

/// A scalar without quotes, by YAML 1.2's core schema.
pub(super) fn plain(text: &str) -> Value<'static> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => (),
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    // Account numbers begin with zeros, and are texts.
    let number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && !(digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0."));
    if number {
        if let Ok(whole) = text.parse::<i64>() {
            return Value::Number(whole.into());
        }
        if let Some(number) = text.parse::<f64>().ok().and_then(Number::from_f64) {
            return Value::Number(number);
        }
    }
    Value::text(text)
}
