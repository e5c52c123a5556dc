//! Policies in the language of AWS. They are compared with their statements by name and their lists
//! as sets, so the way to what differs is found by what each says, and not by its place.

use super::tree::{Item, Kind, Member, Node, Owned};
use super::walk::{Outcome, Walk};
use super::{Why, edit, word};
use crate::drift::ChangeType;
use crate::drift::form::policy::{SETS, account, normal};
use crate::drift::path::{Path, Step};
use crate::drift::value::Value;

type Found = Result<Outcome, Why>;

/// From a policy along what is left of the way.
pub(super) fn walk(
    walk: &Walk<'_>,
    (node, statements): (&Node, &Member),
    path: &mut Path,
    rest: &[Step],
) -> Found {
    let Some((section, deeper)) = rest.split_first() else { return Err(Why::Form) };
    let Kind::Map(_, members) = &node.kind else { return Err(Why::Form) };
    if word(section) != "Statement" {
        return walk.map(node, members, path, rest);
    }
    let Some((id, deeper)) = deeper.split_first() else { return Err(Why::Form) };
    let id = word(id);
    let statements = &statements.node;
    let items: &[Item] = match &statements.kind {
        Kind::List(_, items) => items,
        Kind::Opaque(why) => return Err(why.clone()),
        _ => &[],
    };
    let all: Vec<&Node> = match &statements.kind {
        Kind::List(..) => items.iter().map(|item| &item.node).collect(),
        _ => vec![statements],
    };
    let place = all.iter().position(|node| id_of(&node.value(None)).as_ref() == Some(&id));
    let found = place.and_then(|place| all.get(place).copied());
    match (found, deeper.split_first(), walk.want.change) {
        (Some(statement), Some((element, deeper)), _) => {
            self::element(walk, statement, (&word(element), deeper))
        }
        (Some(_), None, ChangeType::Added) => Ok(Outcome::Already),
        (Some(statement), None, ChangeType::Removed) => match (place, statement.why()) {
            (_, Some(why)) => Err(why.clone()),
            (Some(place), None) if !items.is_empty() => {
                walk.take_out(statements, place).map(Outcome::Edits)
            }
            _ => Err(Why::Form),
        },
        (None, None, ChangeType::Added) if matches!(statements.kind, Kind::List(..)) => {
            let value = walk.want.actual.as_ref().ok_or(Why::Form)?;
            let value = walk.original(&id).unwrap_or_else(|| plain(walk, value));
            edit::insert_item(walk.text, statements, items.len(), &value).map(Outcome::Edits)
        }
        // It may be one of those that are computed.
        (None, _, change) => match statements.why() {
            Some(why) => Err(why.clone()),
            None if change == ChangeType::Removed => Ok(Outcome::Already),
            None => Err(Why::Ahead),
        },
        (Some(_), None, ChangeType::Modified) => Err(Why::Form),
    }
}

/// What a statement is told apart by.
fn id_of(statement: &Value<'_>) -> Option<String> {
    let policy = Value::map([("Statement".into(), statement.clone())]);
    let normal = normal(&policy)?;
    let Some(Value::Map(statements)) = normal.get("Statement") else { return None };
    statements.first().map(|(id, _)| id.to_string())
}

/// An element of a statement.
fn element(walk: &Walk<'_>, statement: &Node, (name, rest): (&str, &[Step])) -> Found {
    let texts: Vec<String> = rest.iter().map(word).collect();
    let same = |text: &str| text.to_owned();
    match (name, texts.as_slice()) {
        ("Action" | "NotAction", [text]) => {
            set(walk, node(statement, name)?, (text, &|text| text.to_lowercase()))
        }
        (name, [text]) if SETS.contains(&name) => set(walk, node(statement, name)?, (text, &same)),
        ("Principal" | "NotPrincipal", [kind, text]) => {
            let kinds = node(statement, name)?;
            match &kinds.kind {
                Kind::Map(..) if kind == "AWS" => set(walk, node(kinds, kind)?, (text, &account)),
                Kind::Map(..) => set(walk, node(kinds, kind)?, (text, &same)),
                Kind::Opaque(why) => Err(why.clone()),
                _ => Err(Why::Form),
            }
        }
        ("Condition", [operator, key, text]) => {
            set(walk, node(node(node(statement, name)?, operator)?, key)?, (text, &same))
        }
        (_, []) => whole(walk, statement, &[name.to_owned()]),
        ("Principal" | "NotPrincipal", [kind]) => {
            whole(walk, node(statement, name)?, std::slice::from_ref(kind))
        }
        ("Condition", [operator]) => {
            whole(walk, node(statement, name)?, std::slice::from_ref(operator))
        }
        ("Condition", [operator, key]) => {
            whole(walk, node(node(statement, name)?, operator)?, std::slice::from_ref(key))
        }
        _ => Err(Why::Form),
    }
}

/// A member; keys of conditions are compared without their case.
fn node<'n>(node: &'n Node, name: &str) -> Result<&'n Node, Why> {
    if let Kind::Opaque(why) = &node.kind {
        return Err(why.clone());
    }
    let Kind::Map(_, members) = &node.kind else { return Err(Why::Form) };
    let exact = members.iter().find(|member| member.name == name);
    let found = exact.or_else(|| members.iter().find(|it| it.name.eq_ignore_ascii_case(name)));
    found.map(|member| &member.node).ok_or(Why::Ahead)
}

/// An element as a whole put in, changed or taken out.
fn whole(walk: &Walk<'_>, parent: &Node, name: &[String]) -> Found {
    let [name] = name else { return Err(Why::Form) };
    let Kind::Map(_, members) = &parent.kind else {
        return Err(parent.why().cloned().unwrap_or(Why::Form));
    };
    let place = members.iter().position(|member| member.name.eq_ignore_ascii_case(name));
    let member = place.and_then(|place| members.get(place));
    let value = walk.want.actual.as_ref().map(|value| plain(walk, &section(name, value.clone())));
    let value = value.and_then(|value| value.get(name).cloned());
    match (member, value) {
        (Some(member), _) if member.node.why().is_some() => {
            Err(member.node.why().cloned().unwrap_or(Why::Form))
        }
        (Some(member), Some(value)) if member.node.value(None) == value => Ok(Outcome::Already),
        (Some(member), Some(value)) => {
            Ok(Outcome::Edits(edit::replace(walk.text, &member.node, &value)))
        }
        (None, Some(value)) => {
            edit::insert_member(walk.text, parent, name, &value).map(Outcome::Edits)
        }
        (Some(_), None) => walk.take_out(parent, place.unwrap_or_default()).map(Outcome::Edits),
        (None, None) => Ok(Outcome::Already),
    }
}

fn section(name: &str, value: Owned) -> Owned {
    Value::map([(name.to_owned().into(), value)])
}

/// One text of several, or of one.
fn set(walk: &Walk<'_>, node: &Node, (text, canonical): (&str, &dyn Fn(&str) -> String)) -> Found {
    let wanted = canonical(text).replace(['[', ']'], "");
    let is = |node: &Node| {
        node.text().is_some_and(|own| canonical(own).replace(['[', ']'], "") == wanted)
    };
    let goes = walk.want.change == ChangeType::Removed;
    let spelled = || {
        let told = walk.want.actual.as_ref().and_then(Value::as_text).unwrap_or(text);
        Value::text(walk.spelled(told))
    };
    match &node.kind {
        Kind::Opaque(why) => Err(why.clone()),
        Kind::List(_, items) => {
            let place = items.iter().position(|item| is(&item.node));
            match (place, goes) {
                (Some(place), true) if items.len() > 1 => {
                    walk.take_out(node, place).map(Outcome::Edits)
                }
                (Some(_), true) => Err(Why::Form),
                (None, true) => node.why().map_or(Ok(Outcome::Already), |why| Err(why.clone())),
                (Some(_), false) => Ok(Outcome::Already),
                (None, false) => {
                    edit::insert_item(walk.text, node, items.len(), &spelled()).map(Outcome::Edits)
                }
            }
        }
        Kind::Scalar(own) => match (is(node), goes) {
            (true, false) | (false, true) => Ok(Outcome::Already),
            (true, true) => Err(Why::Form),
            (false, false) => {
                let both = Value::List(vec![own.clone(), spelled()]);
                Ok(Outcome::Edits(edit::replace(walk.text, node, &both)))
            }
        },
        Kind::Map(..) | Kind::Json(_) => Err(Why::Form),
    }
}

/// A statement, or elements of one, as they are written: sets as a text or a list of them.
fn plain(walk: &Walk<'_>, statement: &Value<'_>) -> Owned {
    let Value::Map(elements) = statement else { return statement.clone().into_owned() };
    let texts = |value: &Value<'_>| match value {
        Value::Map(texts) => {
            let texts = texts.iter().map(|(_, text)| {
                text.as_text().map_or_else(
                    || text.clone().into_owned(),
                    |text| Value::text(walk.spelled(text)),
                )
            });
            let mut texts: Vec<Owned> = texts.collect();
            if texts.len() == 1 { texts.remove(0) } else { Value::List(texts) }
        }
        other => other.clone().into_owned(),
    };
    let inner = |value: &Value<'_>, inside: &dyn Fn(&Value<'_>) -> Owned| match value {
        Value::Map(members) => Value::map(
            members.iter().map(|(name, value)| (walk.spelled(name).into(), inside(value))),
        ),
        other => other.clone().into_owned(),
    };
    Value::map(elements.iter().map(|(name, value)| {
        let value = match name.as_ref() {
            name if SETS.contains(&name) => texts(value),
            "Principal" | "NotPrincipal" => inner(value, &texts),
            "Condition" => inner(value, &|keys| inner(keys, &texts)),
            _ => value.clone().into_owned(),
        };
        (name.clone().into_owned().into(), value)
    }))
}

impl Walk<'_> {
    /// A text that was compared in lower case as it is spelled live, where that is known.
    fn spelled(&self, text: &str) -> String {
        let found = self.state.and_then(|state| find(state, &|own| own.eq_ignore_ascii_case(text)));
        found.unwrap_or_else(|| text.to_owned())
    }

    /// A statement as it is written live, where that is known.
    fn original(&self, id: &str) -> Option<Owned> {
        let Value::Map(members) = self.state? else { return None };
        for (_, value) in members {
            let parsed = value.as_text().and_then(Value::parse);
            let policy = parsed.as_ref().unwrap_or(value);
            if let Some(Value::List(statements)) = policy.get("Statement") {
                let own = |it: &&Value<'_>| id_of(it).as_deref() == Some(id);
                if let Some(statement) = statements.iter().find(own) {
                    return Some(statement.clone().into_owned());
                }
            }
        }
        None
    }
}

/// The first text in a value that fits, also in texts of JSON.
fn find(value: &Value<'_>, fits: &dyn Fn(&str) -> bool) -> Option<String> {
    match value {
        Value::Text(text) if fits(text) => Some(text.to_string()),
        Value::Text(text) if text.starts_with(['{', '[']) => {
            find(&Value::parse(text).filter(|it| it.as_text().is_none())?, fits)
        }
        Value::List(items) => items.iter().find_map(|item| find(item, fits)),
        Value::Map(members) => members.iter().find_map(|(name, value)| {
            if fits(name) { Some(name.to_string()) } else { find(value, fits) }
        }),
        _ => None,
    }
}
