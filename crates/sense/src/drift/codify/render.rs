//! Values as they are written in each language.

use super::tree::{Node, Syntax};
use crate::drift::form::loose;
use crate::drift::value::Value;
use crate::drift::yaml::plain;

/// The most characters that a list or an object is written on one line with.
const LINE: usize = 60;
/// Words that some reader of YAML takes for something else than a text.
const WORDS: [&str; 12] =
    ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "<<", "="];

/// A scalar; of a list or an object all of it on one line.
pub(super) fn flow(syntax: Syntax, value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => self::text(syntax, text),
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(|item| flow(syntax, item)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(members) if members.is_empty() => "{}".to_owned(),
        Value::Map(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(name, value)| {
                    format!("{}{}{}", key(syntax, name), colon(syntax), flow(syntax, value))
                })
                .collect();
            let members = members.join(", ");
            if syntax == Syntax::Json {
                format!("{{{members}}}")
            } else {
                format!("{{ {members} }}")
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Sealed(_) | Value::Unknown => {
            value.to_json().to_string()
        }
    }
}

/// What stands between a name and its value.
pub(super) const fn colon(syntax: Syntax) -> &'static str {
    match syntax {
        Syntax::Json | Syntax::Yaml => ": ",
        Syntax::Hcl => " = ",
    }
}

/// Where something is written: what its lines begin with, by how much the next level is moved to the
/// right, and how lines end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'p> {
    pub(super) indent: &'p str,
    pub(super) unit: &'p str,
    pub(super) newline: &'p str,
}

/// Between brackets, over several lines where one would be long.
pub(super) fn pretty(syntax: Syntax, value: &Value<'_>, page: Page<'_>) -> String {
    let line = flow(syntax, value);
    let nested = |value: &Value<'_>| matches!(value, Value::Map(inside) if !inside.is_empty());
    let deep = match value {
        Value::Map(members) => members.len() > 2 || members.iter().any(|(_, value)| nested(value)),
        Value::List(items) => items.iter().any(nested),
        _ => return line,
    };
    if !deep && line.chars().count() <= LINE {
        return line;
    }
    let inner = format!("{}{}", page.indent, page.unit);
    let inside = Page { indent: &inner, ..page };
    let comma = if syntax == Syntax::Hcl { "" } else { "," };
    let lines: Vec<String> = match value {
        Value::Map(members) => {
            let keys: Vec<String> = members.iter().map(|(name, _)| key(syntax, name)).collect();
            let widest = keys.iter().map(|key| key.chars().count()).max().unwrap_or(0);
            let width = if syntax == Syntax::Hcl { widest } else { 0 };
            let values = members.iter().map(|(_, value)| pretty(syntax, value, inside));
            keys.iter()
                .zip(values)
                .map(|(key, value)| format!("{inner}{key:width$}{}{value}", colon(syntax)))
                .collect()
        }
        Value::List(items) => {
            items.iter().map(|item| format!("{inner}{}", pretty(syntax, item, inside))).collect()
        }
        _ => return line,
    };
    let list = matches!(value, Value::List(_));
    let (open, close) = if list { ('[', ']') } else { ('{', '}') };
    let comma = if list { "," } else { comma };
    let lines = lines.join(&format!("{comma}{}", page.newline));
    let last = if list && syntax == Syntax::Hcl { "," } else { "" };
    format!("{open}{nl}{lines}{last}{nl}{}{close}", page.indent, nl = page.newline)
}

/// By indentation, as YAML has it; the first line without.
pub(super) fn indented(value: &Value<'_>, page: Page<'_>) -> String {
    let between = format!("{}{}", page.newline, page.indent);
    let inner = format!("{}{}", page.indent, page.unit);
    let inside = Page { indent: &inner, ..page };
    match value {
        Value::Map(members) if !members.is_empty() => {
            let lines: Vec<_> = members
                .iter()
                .map(|(name, value)| {
                    format!("{}:{}", key(Syntax::Yaml, name), after(value, inside))
                })
                .collect();
            lines.join(&between)
        }
        Value::List(items) if !items.is_empty() => {
            let own = format!("{}  ", page.indent);
            let own = Page { indent: &own, ..page };
            let lines: Vec<_> =
                items.iter().map(|item| format!("- {}", indented(item, own))).collect();
            lines.join(&between)
        }
        other => flow(Syntax::Yaml, other),
    }
}

/// What comes after a colon of YAML: the value, on lines of its own where it is written so.
pub(super) fn after(value: &Value<'_>, inside: Page<'_>) -> String {
    let full = match value {
        Value::Map(members) => !members.is_empty(),
        Value::List(items) => !items.is_empty(),
        _ => false,
    };
    if full {
        format!("{}{}{}", inside.newline, inside.indent, indented(value, inside))
    } else {
        format!(" {}", flow(Syntax::Yaml, value))
    }
}

/// A name of a member.
pub(super) fn key(syntax: Syntax, name: &str) -> String {
    match syntax {
        Syntax::Hcl if word(name) => name.to_owned(),
        Syntax::Json | Syntax::Yaml | Syntax::Hcl => text(syntax, name),
    }
}

/// Whether a name stands by itself in HCL.
pub(super) fn word(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        && !["null", "true", "false", "for"].contains(&name)
}

pub(super) fn text(syntax: Syntax, text: &str) -> String {
    match syntax {
        Syntax::Json => serde_json::Value::from(text).to_string(),
        Syntax::Yaml if safe(text) => text.to_owned(),
        // The escapes of JSON are escapes of YAML.
        Syntax::Yaml => serde_json::Value::from(text).to_string(),
        Syntax::Hcl => quoted(text),
    }
}

/// A text of HCL: what would begin a template is escaped.
fn quoted(text: &str) -> String {
    let mut made = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => made.push_str("\\\""),
            '\\' => made.push_str("\\\\"),
            '\n' => made.push_str("\\n"),
            '\r' => made.push_str("\\r"),
            '\t' => made.push_str("\\t"),
            c if c.is_control() => made.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => made.push(c),
        }
    }
    made.push('"');
    escaped(&made)
}

/// What would begin a template of HCL, doubled.
fn escaped(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

/// Whether a text is the same text to every reader of YAML when it stands there without quotes.
fn safe(text: &str) -> bool {
    let fits = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(
                c,
                '_' | '-' | '.' | '/' | ':' | '@' | '+' | ' ' | '=' | '*' | '(' | ')' | ';' | '$'
            )
    };
    let Some(first) = text.chars().next() else { return false };
    if !text.chars().all(fits)
        || text.contains(": ")
        || text.ends_with([' ', ':'])
        || WORDS.contains(&text.to_ascii_lowercase().as_str())
        || !matches!(plain(text), Value::Text(_))
    {
        return false;
    }
    if first.is_ascii_digit() {
        // Numbers to any base, dates, times of the day, versions.
        return text.contains('/')
            || text.chars().any(|c| c.is_ascii_alphabetic() && !"abcdefxoABCDEFXO".contains(c))
                && !text.contains(':');
    }
    first.is_ascii_alphabetic() || first == '/'
}

/// A scalar in the way another one is written that stands in the same place.
pub(super) fn instead(source: &str, node: &Node, value: &Value<'_>) -> String {
    let before = source.get(node.at.clone()).unwrap_or_default();
    let number = |text: &str| !matches!(plain(text), Value::Text(_));
    let value = match (node.text(), value) {
        // A number that was written as a text stays one.
        (Some(old), Value::Number(_) | Value::Bool(_)) if number(old) => {
            loose(value).map_or_else(|| value.clone(), Value::text)
        }
        (None, Value::Text(new)) if !before.is_empty() && number(new) => {
            let number = plain(new);
            if loose(&number).as_deref() == Some(new) { number } else { value.clone() }
        }
        _ => value.clone(),
    };
    let Value::Text(new) = &value else {
        let space = if before.is_empty() && node.syntax == Syntax::Yaml { " " } else { "" };
        return format!("{space}{}", flow(node.syntax, &value));
    };
    match (node.syntax, before.chars().next()) {
        (Syntax::Hcl, Some('<')) => heredoc(before, new).unwrap_or_else(|| quoted(new)),
        (Syntax::Yaml, None) => format!(" {}", text(Syntax::Yaml, new)),
        (Syntax::Yaml, Some('"')) => text(Syntax::Json, new),
        (Syntax::Yaml, Some('\'')) if !new.chars().any(char::is_control) => {
            format!("'{}'", new.replace('\'', "''"))
        }
        (Syntax::Yaml, Some('|')) => {
            literal(source, node, new).unwrap_or_else(|| text(Syntax::Json, new))
        }
        (syntax, _) => text(syntax, new),
    }
}

/// A text of HCL on lines of its own, between the words that were there.
fn heredoc(before: &str, new: &str) -> Option<String> {
    let (head, rest) = before.split_once('\n')?;
    let (body, end) = rest.rsplit_once('\n').unwrap_or(("", rest));
    if !new.ends_with('\n') || new.contains('\r') || head.contains('\r') {
        return None;
    }
    let first = body.lines().next().unwrap_or_default();
    let indent = first.get(..first.len() - first.trim_start().len()).unwrap_or_default();
    let indent = if head.starts_with("<<-") { indent } else { "" };
    let lines = escaped(new);
    let lines: String = lines
        .lines()
        .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{indent}{line}\n") })
        .collect();
    // A line of the text that ends it would end it too early.
    let word = end.trim();
    (!lines.lines().any(|line| line.trim() == word)).then(|| format!("{head}\n{lines}{end}"))
}

/// A text of YAML on lines of its own, as deep as the one before.
fn literal(source: &str, node: &Node, new: &str) -> Option<String> {
    let before = source.get(node.at.clone())?;
    let (head, rest) = before.split_once('\n')?;
    let keeps_end = head.trim_end() == "|" && new.ends_with('\n') && !new.ends_with("\n\n");
    let strips_end = head.trim_end() == "|-" && !new.ends_with('\n');
    let first = rest.lines().next()?;
    let indent = first.get(..first.len() - first.trim_start().len())?;
    let clean = |c: char| !c.is_control() || c == '\n';
    if !(keeps_end || strips_end)
        || new.trim().is_empty()
        || new.starts_with([' ', '\n'])
        || !new.chars().all(clean)
        || head.ends_with('\r')
    {
        return None;
    }
    let lines: Vec<String> = new
        .lines()
        .map(|line| if line.is_empty() { String::new() } else { format!("{indent}{line}") })
        .collect();
    Some(format!("{head}\n{}", lines.join("\n")))
}
