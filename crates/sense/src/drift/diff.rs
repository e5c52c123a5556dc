//! Which properties of a resource differ.

use std::collections::BTreeSet;

use super::form::{Form, Opened, loose, loosely_same};
use super::path::{Path, Step, written};
use super::rules::KindRules;
use super::seal::Sealer;
use super::value::Value;
use super::{Change, ChangeType};

#[cfg(test)]
mod tests;

/// How much of a resource its declaration speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of it: what it does not name is not to be there. A state of Terraform's.
    Whole,
    /// What it names: the rest is the provider's. A template, a manifest.
    Declared,
}

/// A place where two values differ, and what is there on each side.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The place.
    pub path: Path,
    /// What is declared.
    pub declared: Option<Value<'static>>,
    /// What is there.
    pub actual: Option<Value<'static>>,
}

impl Difference {
    /// How the property differs.
    #[must_use]
    pub const fn change(&self) -> ChangeType {
        ChangeType::between(self.declared.is_some(), self.actual.is_some())
    }
}

/// Compares the two sides of resources of one type.
#[derive(Debug, Clone)]
pub struct Comparer<'r> {
    /// What counts as the same.
    pub rules: KindRules<'r>,
    /// How much declarations speak of.
    pub scope: Scope,
    /// What secrets are compared and shown by.
    pub sealer: &'r Sealer,
}

/// What is at one place on each side.
#[derive(Debug, Clone, Copy)]
struct Pair<'v> {
    declared: Option<&'v Value<'v>>,
    actual: Option<&'v Value<'v>>,
}

impl Comparer<'_> {
    /// Every place where two values differ, in the order of their names; the smallest there are.
    #[must_use]
    pub fn differences(&self, declared: &Value<'_>, actual: &Value<'_>) -> Vec<Difference> {
        let mut found = Vec::new();
        let pair = Pair { declared: Some(declared), actual: Some(actual) };
        self.walk(&mut Path::new(), pair, self.scope, &mut found);
        let places: BTreeSet<String> = found.iter().map(|found| written(&found.path)).collect();
        found.retain(|found| {
            let echoed = self.rules.echoed(&found.path);
            echoed.is_none_or(|place| !places.contains(&written(&place)))
        });
        found
    }

    /// A difference as it may be shown and stored.
    #[must_use]
    pub fn told(&self, difference: &Difference) -> Change {
        let shown = |value: &Option<Value<'_>>| {
            value.as_ref().map(|value| self.shown_at(&mut difference.path.clone(), value))
        };
        let (mut declared, mut actual) = (shown(&difference.declared), shown(&difference.actual));
        // What is a secret on one side is one on the other.
        let sealed = |value: &Option<Value<'_>>| matches!(value, Some(Value::Sealed(_)));
        if sealed(&difference.declared) || sealed(&difference.actual) {
            let seal = |value: &Option<Value<'_>>| {
                value.as_ref().map(|value| self.sealer.seal(value).to_json())
            };
            (declared, actual) = (seal(&difference.declared), seal(&difference.actual));
        }
        Change {
            path: written(&difference.path),
            steps: difference.path.clone(),
            change: difference.change(),
            declared,
            actual,
        }
    }

    /// Whether there is no difference between two values at a place.
    pub(super) fn same_at(&self, path: &Path, one: &Value<'_>, other: &Value<'_>) -> bool {
        let mut found = Vec::new();
        let pair = Pair { declared: Some(one), actual: Some(other) };
        self.walk(&mut path.clone(), pair, Scope::Whole, &mut found);
        found.is_empty()
    }

    /// What each element of a list at a place is told apart by; `None` where its place does that.
    pub(super) fn keys(&self, path: &Path, list: &Value<'_>) -> Option<Vec<String>> {
        let Value::List(items) = list else { return None };
        let canonical = |member: Option<&str>, item: &Value<'_>| {
            let mut inside = path.clone();
            inside.push(Step::Key(String::new()));
            inside.extend(member.map(|member| Step::Name(member.to_owned())));
            self.canonical(&mut inside, item)
        };
        let form = self.rules.say(path).form?;
        if *form == Form::Set {
            return Some(items.iter().map(|item| canonical(None, item)).collect());
        }
        let Opened::Elements(elements) = form.open(list, &canonical)? else { return None };
        let key = |item: &Value<'_>| {
            let own = elements.iter().find(|(_, other)| std::ptr::eq(**other, item));
            own.map_or_else(String::new, |(key, _)| key.clone())
        };
        Some(items.iter().map(key).collect())
    }

    /// A state as it may be shown and stored.
    #[must_use]
    pub fn shown(&self, state: &Value<'_>) -> serde_json::Value {
        self.shown_at(&mut Path::new(), state)
    }

    fn shown_at(&self, path: &mut Path, value: &Value<'_>) -> serde_json::Value {
        if self.rules.secret(path) && !matches!(value, Value::Null) {
            return self.sealer.seal(value).to_json();
        }
        self.open(path, value)
    }

    /// What is no secret, and may hold some.
    fn open(&self, path: &mut Path, value: &Value<'_>) -> serde_json::Value {
        let part = |own: &Self, path: &mut Path, value: &Value<'_>| {
            if own.rules.secret_within(path) && !matches!(value, Value::Null) {
                return own.sealer.seal(value).to_json();
            }
            own.open(path, value)
        };
        match value {
            Value::Map(members) => {
                let members = members.iter().map(|(name, value)| {
                    let shown = self.inside(path, Step::Name(name.to_string()), |own, path| {
                        part(own, path, value)
                    });
                    (name.to_string(), shown)
                });
                serde_json::Value::Object(members.collect())
            }
            Value::List(items) => {
                let items = items.iter().enumerate().map(|(place, item)| {
                    self.inside(path, Step::Index(place), |own, path| part(own, path, item))
                });
                serde_json::Value::Array(items.collect())
            }
            Value::Text(_) => match self.rules.document(path) {
                // A text that holds a document may hold secrets in it.
                Some(form) => match form.open(value, &|_, _| String::new()) {
                    Some(Opened::Tree(tree)) => self.open(path, &tree),
                    Some(Opened::Elements(_)) | None => value.to_json(),
                },
                None => value.to_json(),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Sealed(_) | Value::Unknown => {
                value.to_json()
            }
        }
    }

    fn inside<T>(
        &self,
        path: &mut Path,
        step: Step,
        work: impl FnOnce(&Self, &mut Path) -> T,
    ) -> T {
        path.push(step);
        let done = work(self, path);
        path.pop();
        done
    }

    fn walk(&self, path: &mut Path, pair: Pair<'_>, scope: Scope, found: &mut Vec<Difference>) {
        let unknown = |value: Option<&Value<'_>>| matches!(value, Some(Value::Unknown));
        if pair.declared == pair.actual || unknown(pair.declared) || unknown(pair.actual) {
            return;
        }
        let said = self.rules.say(path);
        if said.ignore.is_some() {
            return;
        }
        // A state as a whole is there, however little it says.
        let blank = said.blank && !path.is_empty();
        let there = |value: &&Value<'_>| !nothing(value, blank);
        let named = pair.declared.filter(there);
        if named.is_none() && scope == Scope::Declared && matches!(path.last(), Some(Step::Name(_)))
        {
            return;
        }
        let default = said.default.map(Value::from_json);
        let declared = named.or(default.as_ref());
        let actual = pair.actual.filter(there).or(default.as_ref());
        let change = ChangeType::between(declared.is_some(), actual.is_some());
        if said.passing.contains(&change) {
            return;
        }
        match (declared, actual) {
            (None, None) => (),
            (Some(declared), Some(actual)) => {
                self.both(path, (declared, actual), (said.form, scope), found);
            }
            (Some(alone), None) | (None, Some(alone)) => {
                if self.says_nothing(path, alone) {
                    return;
                }
                let empty = match said.form {
                    Some(Form::Tags) => Value::Map(Vec::new()),
                    Some(Form::Set | Form::Keyed(_)) => Value::List(Vec::new()),
                    Some(_) | None => return push(found, path, declared, actual),
                };
                // Each of what is told apart by itself.
                let pair = (declared.unwrap_or(&empty), actual.unwrap_or(&empty));
                self.both(path, pair, (said.form, scope), found);
            }
        }
    }

    /// Two values that are both there.
    fn both(
        &self,
        path: &mut Path,
        (declared, actual): (&Value<'_>, &Value<'_>),
        (form, scope): (Option<&Form>, Scope),
        found: &mut Vec<Difference>,
    ) {
        if declared == actual || self.same(declared, actual, form) {
            return;
        }
        let place = path.clone();
        let canonical = |member: Option<&str>, item: &Value<'_>| {
            let mut inside = place.clone();
            inside.push(Step::Key(String::new()));
            inside.extend(member.map(|member| Step::Name(member.to_owned())));
            self.canonical(&mut inside, item)
        };
        let open = |value| form.and_then(|form| form.open(value, &canonical));
        match (open(declared), open(actual)) {
            (Some(Opened::Elements(declared)), Some(Opened::Elements(actual))) => {
                let keys: BTreeSet<&String> = declared.keys().chain(actual.keys()).collect();
                for key in keys {
                    let pair = Pair {
                        declared: declared.get(key).copied(),
                        actual: actual.get(key).copied(),
                    };
                    self.inside(path, Step::Key(key.clone()), |own, path| {
                        own.walk(path, pair, scope, found);
                    });
                }
            }
            (Some(Opened::Tree(declared)), Some(Opened::Tree(actual))) => {
                self.parts(path, (&declared, &actual), Scope::Whole, found);
            }
            _ => self.parts(path, (declared, actual), scope, found),
        }
    }

    /// The parts of two values, or the values where they have none in common.
    fn parts(
        &self,
        path: &mut Path,
        (declared, actual): (&Value<'_>, &Value<'_>),
        scope: Scope,
        found: &mut Vec<Difference>,
    ) {
        match (declared, actual) {
            (Value::Map(one), Value::Map(other)) => {
                let names = one.iter().chain(other).map(|(name, _)| name.as_ref());
                for name in names.collect::<BTreeSet<&str>>() {
                    let pair = Pair { declared: declared.get(name), actual: actual.get(name) };
                    if pair.declared == pair.actual {
                        continue;
                    }
                    self.inside(path, Step::Name(name.to_owned()), |own, path| {
                        own.walk(path, pair, scope, found);
                    });
                }
            }
            (Value::List(one), Value::List(other)) if one.len() == other.len() => {
                for (place, (one, other)) in one.iter().zip(other).enumerate() {
                    let pair = Pair { declared: Some(one), actual: Some(other) };
                    self.inside(path, Step::Index(place), |own, path| {
                        own.walk(path, pair, scope, found);
                    });
                }
            }
            (one, other) => {
                if !loosely_same(one, other) {
                    push(found, path, Some(one), Some(other));
                }
            }
        }
    }

    /// Whether two values are the same as wholes.
    fn same(&self, one: &Value<'_>, other: &Value<'_>, form: Option<&Form>) -> bool {
        if matches!(one, Value::Sealed(_)) || matches!(other, Value::Sealed(_)) {
            return self.sealer.seal(one) == self.sealer.seal(other);
        }
        loosely_same(one, other) || form.is_some_and(|form| form.same(one, other))
    }

    /// Whether a value on one side alone is no more than what holds anyway.
    fn says_nothing(&self, path: &mut Path, value: &Value<'_>) -> bool {
        let said = self.rules.say(path);
        if said.ignore.is_some() || nothing(value, said.blank) {
            return true;
        }
        if let Some(default) = said.default {
            let default = Value::from_json(default);
            return *value == default || self.same(value, &default, said.form);
        }
        match value {
            Value::Map(members) if !members.is_empty() => members.iter().all(|(name, value)| {
                self.inside(path, Step::Name(name.to_string()), |own, path| {
                    own.says_nothing(path, value)
                })
            }),
            // A block of settings that are all as they would be without it.
            Value::List(items) => match items.as_slice() {
                [block @ Value::Map(_)] => {
                    self.inside(path, Step::Index(0), |own, path| own.says_nothing(path, block))
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// One text for all values that are the same at this place.
    fn canonical(&self, path: &mut Path, value: &Value<'_>) -> String {
        let said = self.rules.say(path);
        let usual = said.default.map(Value::from_json);
        if said.ignore.is_some()
            || nothing(value, said.blank)
            || usual.is_some_and(|usual| *value == usual || self.same(value, &usual, said.form))
        {
            return String::new();
        }
        if let Some(text) =
            said.form.and_then(|form| form.canonical(value)).or_else(|| loose(value))
        {
            return if text.is_empty() { EMPTY.to_owned() } else { text };
        }
        match value {
            Value::Map(members) => {
                let members = members.iter().filter_map(|(name, value)| {
                    let (text, said) =
                        self.inside(path, Step::Name(name.to_string()), |own, path| {
                            let text = own.canonical(path, value);
                            // An empty text is something where it is not the same as nothing.
                            let said = !text.is_empty() || !own.says_nothing(path, value);
                            (text, said)
                        });
                    // Quoted, so that no text can pass for two.
                    said.then(|| format!("{name:?}={text:?}"))
                });
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
            Value::List(items) => {
                let texts = items.iter().enumerate().map(|(place, item)| {
                    self.inside(path, Step::Index(place), |own, path| own.canonical(path, item))
                });
                let mut texts: Vec<_> = texts.map(|text| format!("{text:?}")).collect();
                if matches!(said.form, Some(Form::Set | Form::Keyed(_))) {
                    texts.sort_unstable();
                    texts.dedup();
                }
                format!("[{}]", texts.join(","))
            }
            Value::Sealed(_) | Value::Unknown => value.to_json().to_string(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => String::new(),
        }
    }
}

/// What stands for an empty text where that is not the same as none.
const EMPTY: &str = "\"\"";

/// Whether a value is the same as none.
fn nothing(value: &Value<'_>, blank: bool) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => blank && text.is_empty(),
        Value::List(items) => blank && items.iter().all(|item| nothing(item, blank)),
        Value::Map(members) => blank && members.iter().all(|(_, value)| nothing(value, blank)),
        Value::Bool(_) | Value::Number(_) | Value::Sealed(_) | Value::Unknown => false,
    }
}

fn push(
    found: &mut Vec<Difference>,
    path: &Path,
    declared: Option<&Value<'_>>,
    actual: Option<&Value<'_>>,
) {
    let owned = |value: Option<&Value<'_>>| value.map(|value| value.clone().into_owned());
    found.push(Difference { path: path.clone(), declared: owned(declared), actual: owned(actual) });
}
