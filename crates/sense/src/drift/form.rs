//! How values are read before they are compared: the same thing written in two ways.

pub(super) mod policy;
mod scalar;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::value::Value;

#[cfg(test)]
mod tests;

/// What a value is, so that it can be compared as such.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A text of JSON.
    Json,
    /// A text of YAML.
    Yaml,
    /// A policy in the language of AWS, as JSON or as the text of it.
    IamPolicy,
    /// A list whose order and repetitions say nothing.
    Set,
    /// A list of objects told apart by these members, whose order says nothing.
    Keyed(Vec<String>),
    /// Names with texts, as an object or as a list of `{key, value}` in either case.
    Tags,
    /// A text in which upper and lower case are the same.
    Caseless,
    /// A length of time: seconds as a number, `90s`, `1h30m`, `PT1H`.
    Duration,
    /// An amount: `1Gi`, `1024Mi`, `500m`, `2`.
    Quantity,
    /// A network or an address: host bits, zeros of IPv6 and the mask of a single host say nothing.
    Cidr,
    /// A moment.
    Time,
    /// A name of the DNS: case, the last dot and escapes say nothing.
    Dns,
    /// The name of a resource of AWS, in full or its last part.
    Arn,
    /// The address of a resource of Google's, its path, or the end of that: its name.
    Link,
    /// Bytes: in clear, in Base64, or their SHA-1.
    Encoded,
    /// A text in which the ends of lines and what is blank before and after them say nothing.
    Lines,
    /// Words that mean the same, group by group.
    Aliases(Vec<Vec<String>>),
}

/// One text for all values that are the same: of an element, or of the member of one that has this
/// name.
pub(super) type Canonical<'c> = dyn Fn(Option<&str>, &Value<'_>) -> String + 'c;

/// A value as its form lets one look into it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Opened<'v> {
    /// A list, each element under what it is told apart by.
    Elements(BTreeMap<String, &'v Value<'v>>),
    /// A tree of which every part counts.
    Tree(Value<'v>),
}

impl Form {
    /// Looks into a value; `None` when this form is none to look into, or the value is not of it.
    ///
    /// `canonical` gives the text an element of a list, or a member of one, is told apart by.
    pub(super) fn open<'v>(
        &self,
        value: &'v Value<'v>,
        canonical: &Canonical<'_>,
    ) -> Option<Opened<'v>> {
        match (self, value) {
            (Self::Json, Value::Text(text)) => tree(Value::parse(text)),
            (Self::Yaml, Value::Text(text)) => {
                let read: Option<serde_json::Value> = serde_saphyr::from_str(text).ok();
                let read = read.filter(|read| read.is_object() || read.is_array())?;
                Some(Opened::Tree(Value::from_json(&read).into_owned()))
            }
            (Self::Json | Self::Yaml, Value::Map(_) | Value::List(_)) => {
                Some(Opened::Tree(value.clone()))
            }
            (Self::IamPolicy, Value::Text(text)) => {
                Some(Opened::Tree(policy::normal(&Value::parse(text)?)?.into_owned()))
            }
            (Self::IamPolicy, Value::Map(_)) => policy::normal(value).map(Opened::Tree),
            (Self::Set, Value::List(items)) => {
                let keyed = items.iter().map(|item| (canonical(None, item), item));
                Some(Opened::Elements(keyed.collect()))
            }
            (Self::Keyed(members), Value::List(items)) => Some(keyed(members, items, canonical)),
            (Self::Tags, Value::List(items)) => tags(items).map(Opened::Tree),
            (Self::Tags, Value::Map(_)) => Some(Opened::Tree(value.clone())),
            _ => None,
        }
    }

    /// Whether two values are the same when read as this.
    pub(super) fn same(&self, one: &Value<'_>, other: &Value<'_>) -> bool {
        match self {
            Self::Json | Self::Yaml | Self::IamPolicy | Self::Set | Self::Keyed(_) | Self::Tags => {
                false
            }
            Self::Arn => scalar::arn(one, other) || scalar::arn(other, one),
            Self::Link => scalar::link(one, other),
            Self::Encoded => scalar::encoded(one, other) || scalar::encoded(other, one),
            Self::Caseless
            | Self::Duration
            | Self::Quantity
            | Self::Cidr
            | Self::Time
            | Self::Dns
            | Self::Lines
            | Self::Aliases(_) => {
                self.canonical(one).is_some_and(|text| self.canonical(other) == Some(text))
            }
        }
    }

    /// The one text for everything that is the same when read as this; `None` when it is not of
    /// this form, or the form compares by pairs.
    pub(super) fn canonical(&self, value: &Value<'_>) -> Option<String> {
        match self {
            Self::Caseless => value.as_text().map(str::to_lowercase),
            Self::Duration => scalar::duration(value),
            Self::Quantity => scalar::quantity(value),
            Self::Cidr => scalar::cidr(value.as_text()?),
            Self::Time => scalar::time(value.as_text()?),
            Self::Dns => value.as_text().map(scalar::dns),
            Self::Lines => value.as_text().map(scalar::lines),
            Self::Aliases(groups) => {
                let text = scalar::loose(value)?;
                let group = groups.iter().find(|group| group.contains(&text));
                Some(group.and_then(|group| group.first()).map_or(text, String::clone))
            }
            Self::Json
            | Self::Yaml
            | Self::IamPolicy
            | Self::Set
            | Self::Keyed(_)
            | Self::Tags
            | Self::Arn
            | Self::Link
            | Self::Encoded => None,
        }
    }
}

/// Whether two scalars are the same however they are written: `true` and `"true"`, `80` and `"80"`.
pub(super) use scalar::{loose, loosely_same};

fn tree(value: Option<Value<'_>>) -> Option<Opened<'_>> {
    // A text that happens to be a number is a text.
    value.filter(|value| matches!(value, Value::Map(_) | Value::List(_))).map(Opened::Tree)
}

fn keyed<'v>(members: &[String], items: &'v [Value<'v>], canonical: &Canonical<'_>) -> Opened<'v> {
    let mut named: Vec<(String, String, &Value<'_>)> = Vec::new();
    for item in items {
        let whole = canonical(None, item);
        let parts = members.iter().filter_map(|member| Some((member, item.get(member)?)));
        let parts = parts.map(|(member, part)| canonical(Some(member), part));
        let key = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        named.push((if key.is_empty() { whole.clone() } else { key }, whole, item));
    }
    // What is told apart by nothing has its place among its equals by what it says.
    named.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
    let mut elements = BTreeMap::new();
    for (key, _, item) in named {
        let mut own = key.clone();
        let mut place = 2;
        while elements.contains_key(&own) {
            own = format!("{key} #{place}");
            place += 1;
        }
        elements.insert(own, item);
    }
    Opened::Elements(elements)
}

fn tags<'v>(items: &[Value<'v>]) -> Option<Value<'v>> {
    let pair = |item: &Value<'v>| {
        let member = |names: [&str; 2]| names.iter().find_map(|name| item.get(name)).cloned();
        let name = member(["Key", "key"])?;
        let name = name.as_text()?.to_owned();
        Some((Cow::Owned(name), member(["Value", "value"]).unwrap_or(Value::Null)))
    };
    Some(Value::map(items.iter().map(pair).collect::<Option<Vec<_>>>()?))
}
