//! The way from a resource to the property that differs, and the next edit that brings it closer to
//! what is there.
//!
//! A property may take several edits: after each the text is read anew and the walk begins again, so
//! that each is made in a text whose places are known, and the last finds nothing left to do.

use super::tree::{Item, Kind, Layout, Member, Node, Owned, Splice, spliced, unknown};
use super::{Why, body, edit, json, policy, word};
use crate::drift::ChangeType;
use crate::drift::diff::Comparer;
use crate::drift::form::Form;
use crate::drift::path::{Path, Step};
use crate::drift::rules::Family;
use crate::drift::value::Value;

/// What comes of looking at a text.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It says what is there.
    Already,
    /// The next edit.
    Edits(Vec<Splice>),
}

/// What a property is to become.
#[derive(Debug)]
pub(super) struct Want {
    pub(super) change: ChangeType,
    pub(super) declared: Option<Owned>,
    pub(super) actual: Option<Owned>,
}

/// One property of one resource, and the text its code is in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walk<'w> {
    pub(super) comparer: &'w Comparer<'w>,
    pub(super) kind: &'w str,
    pub(super) family: Family,
    pub(super) text: &'w str,
    pub(super) want: &'w Want,
    /// Whether this property was edited already, and so is neither as it was nor as it will be.
    pub(super) begun: bool,
    /// The resource as it is, where that is known.
    pub(super) state: Option<&'w Value<'w>>,
}

type Found = Result<Outcome, Why>;

impl Walk<'_> {
    /// From a part of a source along what is left of the way.
    pub(super) fn walk(&self, node: &Node, path: &mut Path, rest: &[Step]) -> Found {
        match &node.kind {
            Kind::Opaque(why) => Err(why.clone()),
            Kind::Json(inside) => self.walk(inside, path, rest),
            Kind::Scalar(Value::Text(text)) => self.inside(node, text, path, rest),
            Kind::Scalar(_) => Err(Why::Ahead),
            Kind::Map(_, members) => {
                let form = self.comparer.rules.say(path).form;
                match (form, node.member("Statement")) {
                    (Some(Form::IamPolicy), Some(statements)) => {
                        policy::walk(self, (node, statements), path, rest)
                    }
                    _ => self.map(node, members, path, rest),
                }
            }
            Kind::List(_, items) => self.list(node, items, path, rest),
        }
    }

    /// In a text that holds a document.
    fn inside(&self, node: &Node, text: &str, path: &mut Path, rest: &[Step]) -> Found {
        let document = json::parse(text).ok_or(Why::Form)?;
        if !matches!(document.kind, Kind::Map(..) | Kind::List(..)) {
            return Err(Why::Ahead);
        }
        match (Walk { text, ..*self }).walk(&document, path, rest)? {
            Outcome::Already => Ok(Outcome::Already),
            Outcome::Edits(splices) => {
                let text = spliced(text, splices).ok_or(Why::Form)?;
                Ok(Outcome::Edits(edit::replace(self.text, node, &Value::text(text))))
            }
        }
    }

    pub(super) fn map(
        &self,
        node: &Node,
        members: &[Member],
        path: &mut Path,
        rest: &[Step],
    ) -> Found {
        let Some((step, deeper)) = rest.split_first() else { return Err(Why::Form) };
        let name = word(step);
        let place = members.iter().position(|member| member.name == name);
        path.push(Step::Name(name.clone()));
        let found = match place.and_then(|place| Some((place, members.get(place)?))) {
            Some((place, member)) if deeper.is_empty() => {
                self.settle(&member.node, path, &|| self.take_out(node, place))
            }
            // Nothing stands there, though its name does.
            Some((_, Member { node: Node { kind: Kind::Scalar(Value::Null), .. }, .. }))
                if self.want.change == ChangeType::Removed =>
            {
                Ok(Outcome::Already)
            }
            Some((
                _,
                Member { node: empty @ Node { kind: Kind::Scalar(Value::Null), .. }, .. },
            )) => {
                let value = self.nested(path, deeper);
                value.map(|value| Outcome::Edits(edit::replace(self.text, empty, &value)))
            }
            Some((_, member)) => self.walk(&member.node, path, deeper),
            None if self.want.change == ChangeType::Removed => Ok(Outcome::Already),
            None => self
                .nested(path, deeper)
                .and_then(|value| self.put(node, path, &name, &value).map(Outcome::Edits)),
        };
        path.pop();
        found
    }

    /// What is there in all that the code does not say at all so far.
    fn nested(&self, path: &[Step], deeper: &[Step]) -> Result<Owned, Why> {
        // What was declared and is not there was said in another way.
        let modified = self.want.change == ChangeType::Modified;
        let plain = |step: &Step| matches!(step, Step::Name(_) | Step::Index(0));
        let known = if modified {
            self.family == Family::Terraform && deeper.iter().all(plain)
        } else {
            deeper.iter().rev().skip(1).all(plain)
        };
        if !known {
            return Err(Why::Ahead);
        }
        let mut value = self.want.actual.clone().ok_or(Why::Form)?;
        let tags = self.comparer.rules.say(path).form == Some(&Form::Tags);
        for step in deeper.iter().rev() {
            value = match step {
                Step::Name(tag) if tags && self.family == Family::CloudFormation => {
                    Value::List(vec![pair(["Key", "Value"], tag, value)])
                }
                Step::Name(name) => Value::map([(name.clone().into(), value)]),
                Step::Key(_) | Step::Index(_) => Value::List(vec![value]),
            };
        }
        Ok(value)
    }

    fn list(&self, node: &Node, items: &[Item], path: &mut Path, rest: &[Step]) -> Found {
        let Some((step, deeper)) = rest.split_first() else { return Err(Why::Form) };
        let name = word(step);
        if self.comparer.rules.say(path).form == Some(&Form::Tags) {
            return self.tag(node, items, path, (&name, deeper));
        }
        let plain = |key: &str| key.replace(['[', ']'], "");
        let keys = self.comparer.keys(path, &node.value(None));
        let place = match &keys {
            Some(keys) => keys.iter().position(|key| plain(key) == plain(&name)),
            None => name.parse().ok().filter(|place| *place < items.len()),
        };
        // What is computed has a key that says so, unless it is told apart by something else.
        let hidden = |place: usize| {
            let key = keys.as_ref().and_then(|keys| keys.get(place));
            key.is_none_or(|key| key.contains("unknown"))
        };
        let why = || {
            let items = items.iter().enumerate().filter(|(place, _)| hidden(*place));
            items.filter_map(|(_, item)| item.node.why()).next()
        };
        let Some((place, item)) = place.and_then(|place| Some((place, items.get(place)?))) else {
            return match (self.want.change, deeper.is_empty()) {
                (ChangeType::Added, true) => {
                    let value = self.want.actual.as_ref().ok_or(Why::Form)?;
                    self.add(node, path, items.len(), value).map(Outcome::Edits)
                }
                // It may be one of those that are computed.
                (change, _) => match why() {
                    Some(why) => Err(why.clone()),
                    None if change == ChangeType::Removed => Ok(Outcome::Already),
                    None => Err(Why::Ahead),
                },
            };
        };
        path.push(step.clone());
        let found = if deeper.is_empty() {
            self.settle(&item.node, path, &|| self.take_out(node, place))
        } else {
            self.walk(&item.node, path, deeper)
        };
        path.pop();
        found
    }

    /// In a list of names and texts.
    fn tag(
        &self,
        node: &Node,
        items: &[Item],
        path: &mut Path,
        (name, deeper): (&str, &[Step]),
    ) -> Found {
        if !deeper.is_empty() {
            return Err(Why::Form);
        }
        let key = |item: &Item| {
            let own = ["Key", "key"].iter().find_map(|key| item.node.member(key));
            own.and_then(|own| own.node.text().map(str::to_owned))
        };
        let place = items.iter().position(|item| key(item).as_deref() == Some(name));
        let Some(place) = place else {
            let hidden = items.iter().filter(|item| key(item).is_none());
            let why = hidden.filter_map(|item| item.node.why()).next();
            return match (self.want.change, why) {
                (ChangeType::Removed, None) => Ok(Outcome::Already),
                (ChangeType::Added, _) => {
                    let value = self.want.actual.clone().ok_or(Why::Form)?;
                    let lower = items.iter().any(|item| item.node.member("key").is_some());
                    let names = if lower { ["key", "value"] } else { ["Key", "Value"] };
                    self.add(node, path, items.len(), &pair(names, name, value)).map(Outcome::Edits)
                }
                (_, Some(why)) => Err(why.clone()),
                (ChangeType::Modified, None) => Err(Why::Ahead),
            };
        };
        let item = items.get(place).ok_or(Why::Form)?;
        let value = ["Value", "value"].iter().find_map(|key| item.node.member(key));
        let value = value.ok_or(Why::Form)?;
        path.push(Step::Name(name.to_owned()));
        let found = self.settle(&value.node, path, &|| self.take_out(node, place));
        path.pop();
        found
    }

    /// At the property: it becomes what is there, or goes.
    pub(super) fn settle(
        &self,
        node: &Node,
        path: &mut Path,
        take_out: &dyn Fn() -> Result<Vec<Splice>, Why>,
    ) -> Found {
        let Want { declared, actual, .. } = self.want;
        if let Kind::Opaque(why) = &node.kind {
            return Err(why.clone());
        }
        let says = node.value(declared.as_ref());
        if let Some(why) = node.why().filter(|_| unknown(&says)) {
            return Err(why.clone());
        }
        let as_declared = self.begun
            || match declared {
                Some(declared) => self.same(path, &says, declared),
                None => self.same(path, &says, &Value::Null),
            };
        let Some(actual) = actual else {
            return match node.why() {
                Some(why) => Err(why.clone()),
                None if as_declared => take_out().map(Outcome::Edits),
                None => Err(Why::Ahead),
            };
        };
        if self.same(path, &says, actual) {
            return Ok(Outcome::Already);
        }
        if !as_declared {
            return Err(Why::Ahead);
        }
        let step = self.towards(node, path, (actual, declared.as_ref()))?;
        Ok(step.map_or(Outcome::Already, Outcome::Edits))
    }

    /// Whether two values at a place say the same; a text of JSON says what is in it.
    pub(super) fn same(&self, path: &Path, one: &Value<'_>, other: &Value<'_>) -> bool {
        if self.comparer.same_at(path, one, other) {
            return true;
        }
        let tree = |value: &Value<'_>| matches!(value, Value::Map(_) | Value::List(_));
        let (text, tree) = match (one, other) {
            (Value::Text(text), other) if tree(other) => (text, other),
            (one, Value::Text(text)) if tree(one) => (text, one),
            _ => return false,
        };
        Value::parse(text).is_some_and(|parsed| self.comparer.same_at(path, &parsed, tree))
    }

    /// The first edit on the way from what the code says to another value; `None` when it says so.
    fn towards(
        &self,
        node: &Node,
        path: &mut Path,
        (target, declared): (&Value<'_>, Option<&Value<'_>>),
    ) -> Result<Option<Vec<Splice>>, Why> {
        if self.same(path, &node.value(declared), target) {
            return Ok(None);
        }
        match (&node.kind, target) {
            (Kind::Opaque(why), _) => Err(why.clone()),
            (Kind::Json(inside), Value::Text(text)) => {
                let parsed = Value::parse(text).ok_or(Why::Form)?;
                let before = declared.and_then(Value::as_text).and_then(Value::parse);
                self.towards(inside, path, (&parsed, before.as_ref()))
            }
            (Kind::Json(inside), tree @ (Value::Map(_) | Value::List(_))) => {
                self.towards(inside, path, (tree, declared))
            }
            (Kind::Map(_, members), Value::Map(wanted)) => {
                for (place, member) in members.iter().enumerate() {
                    let declared = declared.and_then(|declared| declared.get(&member.name));
                    path.push(Step::Name(member.name.clone()));
                    let step = match target.get(&member.name) {
                        Some(target) if *target != Value::Null => {
                            self.towards(&member.node, path, (target, declared))
                        }
                        _ => match member.node.why() {
                            Some(why) => Err(why.clone()),
                            None => self.take_out(node, place).map(Some),
                        },
                    };
                    path.pop();
                    if let Some(splices) = step? {
                        return Ok(Some(splices));
                    }
                }
                let absent = |(name, value): &&(std::borrow::Cow<'_, str>, Value<'_>)| {
                    *value != Value::Null && node.member(name).is_none()
                };
                for (name, value) in wanted.iter().filter(absent) {
                    path.push(Step::Name(name.to_string()));
                    let put = if self.same(path, &Value::Null, value) {
                        Ok(None)
                    } else {
                        self.put(node, path, name, value).map(Some)
                    };
                    path.pop();
                    if let Some(splices) = put? {
                        return Ok(Some(splices));
                    }
                }
                Ok(None)
            }
            (Kind::List(_, items), Value::List(wanted)) => {
                self.items(node, items, path, (wanted, declared))
            }
            _ => match node.why() {
                Some(why) => Err(why.clone()),
                None => Ok(Some(edit::replace(self.text, node, target))),
            },
        }
    }

    /// The same, for the elements of a list.
    fn items(
        &self,
        node: &Node,
        items: &[Item],
        path: &mut Path,
        (wanted, declared): (&[Value<'_>], Option<&Value<'_>>),
    ) -> Result<Option<Vec<Splice>>, Why> {
        let says = node.value(declared);
        let own = match &says {
            Value::List(own) => own.as_slice(),
            _ => &[],
        };
        let list = Value::List(wanted.iter().map(|it| it.clone().into_owned()).collect());
        if let (Some(keys), Some(targets)) =
            (self.comparer.keys(path, &says), self.comparer.keys(path, &list))
        {
            if let Some(place) = targets.iter().position(|key| !keys.contains(key)) {
                let value = wanted.get(place).ok_or(Why::Form)?;
                return self.add(node, path, items.len(), value).map(Some);
            }
            if let Some(place) = keys.iter().position(|key| !targets.contains(key)) {
                return self.drop_item(node, items, place).map(Some);
            }
        }
        let same = |one: usize, other: usize| {
            let mut path = path.clone();
            path.push(Step::Index(one));
            own.get(one)
                .zip(wanted.get(other))
                .is_some_and(|(one, other)| self.same(&path, one, other))
        };
        let (place, turn) = turn((own.len(), wanted.len()), &same);
        match turn {
            Turn::None => Ok(None),
            Turn::Remove => self.drop_item(node, items, place).map(Some),
            Turn::Insert(from) => {
                let value = wanted.get(from).ok_or(Why::Form)?;
                self.add(node, path, place, value).map(Some)
            }
            Turn::Change(to) => {
                let item = items.get(place).ok_or(Why::Form)?;
                let target = wanted.get(to).ok_or(Why::Form)?;
                let declared = match declared {
                    Some(Value::List(declared)) if declared.len() == items.len() => {
                        declared.get(place)
                    }
                    _ => None,
                };
                path.push(Step::Index(place));
                let step = self.towards(&item.node, path, (target, declared));
                path.pop();
                step
            }
        }
    }

    fn drop_item(&self, node: &Node, items: &[Item], place: usize) -> Result<Vec<Splice>, Why> {
        match items.get(place).and_then(|item| item.node.why()) {
            Some(why) => Err(why.clone()),
            None => self.take_out(node, place),
        }
    }

    /// A member put into an object.
    fn put(
        &self,
        node: &Node,
        path: &[Step],
        name: &str,
        value: &Value<'_>,
    ) -> Result<Vec<Splice>, Why> {
        match &node.kind {
            Kind::Map(Layout::Body, _) => body::put(self, node, path, (name, value)),
            _ => edit::insert_member(self.text, node, name, value),
        }
    }

    /// An element put into a list.
    pub(super) fn add(
        &self,
        node: &Node,
        path: &[Step],
        place: usize,
        value: &Value<'_>,
    ) -> Result<Vec<Splice>, Why> {
        match &node.kind {
            Kind::List(Layout::Blocks, _) => body::add(self, node, path, (place, value)),
            _ => edit::insert_item(self.text, node, place, value),
        }
    }

    pub(super) fn take_out(&self, node: &Node, place: usize) -> Result<Vec<Splice>, Why> {
        edit::remove(self.text, node, place)
    }
}

/// A tag as an element of a list.
fn pair([key, value]: [&'static str; 2], name: &str, text: Owned) -> Owned {
    Value::map([(key.into(), Value::text(name)), (value.into(), text)])
}

/// What brings one list closer to another.
enum Turn {
    None,
    Remove,
    /// The other's element in this place is missing.
    Insert(usize),
    /// It stands for the other's element in this place.
    Change(usize),
}

/// The longest lists that are compared element by element with each other.
const MOST_COMPARED: usize = 256;

/// The first difference of two lists of these lengths, and where it is: what both have in common in
/// the same order stays.
fn turn((own, wanted): (usize, usize), same: &dyn Fn(usize, usize) -> bool) -> (usize, Turn) {
    let mut start = 0;
    while start < own && start < wanted && same(start, start) {
        start += 1;
    }
    if start == own && start == wanted {
        return (start, Turn::None);
    }
    let (left, missing) = (own - start, wanted - start);
    if left == 0 {
        return (start, Turn::Insert(start));
    }
    if missing == 0 {
        return (start, Turn::Remove);
    }
    if left.max(missing) > MOST_COMPARED {
        return (start, Turn::Change(start));
    }
    // The length of what two ends have in common, row by row from the back.
    let mut below = vec![0_usize; missing + 1];
    let mut row = below.clone();
    for one in (0..left).rev() {
        row = vec![0; missing + 1];
        for other in (0..missing).rev() {
            let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(0);
            let longest = if same(start + one, start + other) {
                at(&below, other + 1) + 1
            } else {
                at(&below, other).max(at(&row, other + 1))
            };
            if let Some(cell) = row.get_mut(other) {
                *cell = longest;
            }
        }
        if one > 0 {
            below.clone_from(&row);
        }
    }
    let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(0);
    let (all, neither) = (at(&row, 0), at(&below, 1));
    let turn = if neither == all {
        Turn::Change(start)
    } else if at(&below, 0) >= at(&row, 1) {
        Turn::Remove
    } else {
        Turn::Insert(start)
    };
    (start, turn)
}
