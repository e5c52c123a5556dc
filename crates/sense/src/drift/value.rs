//! The states of resources as they are compared: JSON that borrows from the document it was read
//! from, with the names of an object in order and none of them twice.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, json};

use super::seal::Seal;

#[cfg(test)]
mod tests;

/// The one member of the object that something unknown is shown as.
const UNKNOWN: &str = "unknown";

/// A value of a state.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// `null`, which is the same as nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Self>),
    /// An object: its names in order, none of them twice.
    Map(Vec<(Cow<'a, str>, Self)>),
    /// A secret, of which only this is known.
    Sealed(Seal),
    /// What the declaration does not say by itself: it is not compared.
    Unknown,
}

impl<'a> Value<'a> {
    /// A text of one's own.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Value::Text(Cow::Owned(text.into()))
    }

    /// An object of these members; of equal names the last one counts.
    #[must_use]
    pub fn map(members: impl IntoIterator<Item = (Cow<'a, str>, Self)>) -> Self {
        let mut members: Vec<_> = members.into_iter().collect();
        members.sort_by(|one, other| one.0.cmp(&other.0));
        members.reverse();
        members.dedup_by(|one, other| one.0 == other.0);
        members.reverse();
        Value::Map(members)
    }

    /// A member of an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Value::Map(members) = self else { return None };
        let at = members.binary_search_by(|(own, _)| own.as_ref().cmp(name)).ok()?;
        members.get(at).map(|(_, value)| value)
    }

    /// The text, when it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }

    /// The value of a text of JSON, or nothing when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Value<'_>> {
        serde_json::from_str(text).ok()
    }

    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(flag) => Value::Bool(flag),
            Value::Number(number) => Value::Number(number),
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::List(items) => Value::List(items.into_iter().map(Value::into_owned).collect()),
            Value::Map(members) => Value::Map(
                members
                    .into_iter()
                    .map(|(name, value)| (Cow::Owned(name.into_owned()), value.into_owned()))
                    .collect(),
            ),
            Value::Sealed(seal) => Value::Sealed(seal),
            Value::Unknown => Value::Unknown,
        }
    }

    /// As JSON. A secret is an object with the one name `sealed`, what is not known one with the one
    /// name `unknown`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Value::Null => serde_json::Value::Null,
            Value::Bool(flag) => serde_json::Value::Bool(*flag),
            Value::Number(number) => serde_json::Value::Number(number.clone()),
            Value::Text(text) => serde_json::Value::String(text.as_ref().to_owned()),
            Value::List(items) => {
                serde_json::Value::Array(items.iter().map(Value::to_json).collect())
            }
            Value::Map(members) => serde_json::Value::Object(
                members
                    .iter()
                    .map(|(name, value)| (name.as_ref().to_owned(), value.to_json()))
                    .collect::<Map<_, _>>(),
            ),
            Value::Sealed(seal) => seal.to_json(),
            Value::Unknown => json!({ UNKNOWN: true }),
        }
    }

    /// From JSON as [`Self::to_json`] writes it.
    #[must_use]
    pub fn from_json(json: &'a serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(flag) => Value::Bool(*flag),
            serde_json::Value::Number(number) => Value::Number(number.clone()),
            serde_json::Value::String(text) => Value::Text(Cow::Borrowed(text)),
            serde_json::Value::Array(items) => {
                Value::List(items.iter().map(Self::from_json).collect())
            }
            serde_json::Value::Object(members) => {
                match Seal::from_json(json) {
                    Some(seal) => Value::Sealed(seal),
                    None if members.len() == 1 && members.contains_key(UNKNOWN) => Value::Unknown,
                    None => Self::map(members.iter().map(|(name, value)| {
                        (Cow::Borrowed(name.as_str()), Self::from_json(value))
                    })),
                }
            }
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value<'de>, E> {
        let number = Number::from_f64(number);
        number.map(Value::Number).ok_or_else(|| E::custom("a number that is none"))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value<'de>, A::Error> {
        let mut map: Vec<(Cow<'de, str>, Value<'de>)> = Vec::new();
        // Documents are mostly written with their names in order already.
        let mut ordered = true;
        while let Some(Name(name)) = members.next_key()? {
            ordered &= map.last().is_none_or(|(last, _)| *last < name);
            map.push((name, members.next_value()?));
        }
        if !ordered {
            map.sort_by(|one, other| one.0.cmp(&other.0));
            let twice =
                map.windows(2).find(|pair| matches!(pair, [one, other] if one.0 == other.0));
            if let Some([(name, _), _]) = twice {
                let name: String = name.chars().take(80).collect();
                return Err(A::Error::custom(format_args!(
                    "an object has the name {name:?} twice"
                )));
            }
        }
        Ok(Value::Map(map))
    }
}

/// A name that borrows where it can.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameReader)
    }
}

struct NameReader;

impl<'de> Visitor<'de> for NameReader {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Borrowed(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Owned(name.to_owned())))
    }
}
