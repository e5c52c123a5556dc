//! The functions of a template, as far as what they need is known.
//!
//! Reference: AWS CloudFormation User Guide, "Intrinsic function reference" and "Pseudo parameters
//! reference".

use std::borrow::Cow;
use std::cell::Cell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Stack;
use crate::drift::form::loose;
use crate::drift::value::Value;

/// How deep conditions may refer to each other: more is a circle.
const MOST_CONDITIONS: usize = 64;

pub(super) struct Resolver<'t> {
    template: &'t Value<'static>,
    stack: &'t Stack,
    within: Cell<usize>,
}

type Owned = Value<'static>;

impl<'t> Resolver<'t> {
    pub(super) const fn new(template: &'t Owned, stack: &'t Stack) -> Self {
        Self { template, stack, within: Cell::new(0) }
    }

    /// A value with its functions put in; `None` for `AWS::NoValue`.
    pub(super) fn resolved(&self, value: &Owned) -> Option<Owned> {
        match value {
            Value::Map(members) => match members.as_slice() {
                [(name, argument)] if name == "Ref" => self.reference(argument),
                [(name, argument)] if name == "Condition" && argument.as_text().is_some() => {
                    let decided = argument.as_text().and_then(|name| self.condition(name));
                    Some(decided.map_or(Value::Unknown, Value::Bool))
                }
                [(name, argument)] if name.starts_with("Fn::") => self.function(name, argument),
                _ => Some(Value::Map(
                    members
                        .iter()
                        .filter_map(|(name, value)| Some((name.clone(), self.resolved(value)?)))
                        .collect(),
                )),
            },
            Value::List(items) => {
                Some(Value::List(items.iter().filter_map(|item| self.resolved(item)).collect()))
            }
            other => Some(other.clone()),
        }
    }

    /// Whether a condition of the template holds; `None` when that cannot be known.
    pub(super) fn condition(&self, name: &str) -> Option<bool> {
        if self.within.get() >= MOST_CONDITIONS {
            return None;
        }
        let condition = self.template.get("Conditions")?.get(name)?;
        self.within.set(self.within.get() + 1);
        let held = self.decided(condition);
        self.within.set(self.within.get() - 1);
        held
    }

    fn decided(&self, condition: &Owned) -> Option<bool> {
        match self.resolved(condition)? {
            Value::Bool(flag) => Some(flag),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn reference(&self, argument: &Owned) -> Option<Owned> {
        let name = argument.as_text()?;
        let text = |text: &Option<String>| text.clone().map_or(Value::Unknown, Value::text);
        Some(match name {
            "AWS::NoValue" => return None,
            "AWS::Region" => text(&self.stack.region),
            "AWS::AccountId" => text(&self.stack.account),
            "AWS::StackName" => text(&self.stack.name),
            "AWS::Partition" => match self.stack.region.as_deref() {
                Some(region) if region.starts_with("cn-") => Value::text("aws-cn"),
                Some(region) if region.starts_with("us-gov-") => Value::text("aws-us-gov"),
                Some(_) => Value::text("aws"),
                None => Value::Unknown,
            },
            "AWS::URLSuffix" => match self.stack.region.as_deref() {
                Some(region) if region.starts_with("cn-") => Value::text("amazonaws.com.cn"),
                Some(_) => Value::text("amazonaws.com"),
                None => Value::Unknown,
            },
            name => self.parameter(name).unwrap_or_else(|| {
                self.stack.physical.get(name).map_or(Value::Unknown, |id| Value::text(id.as_str()))
            }),
        })
    }

    /// What a parameter of the template is; `None` when there is none of this name.
    fn parameter(&self, name: &str) -> Option<Owned> {
        let parameter = self.template.get("Parameters")?.get(name)?;
        let given = self.stack.parameters.get(name).or_else(|| parameter.get("Default"));
        let kind = parameter.get("Type").and_then(Value::as_text).unwrap_or_default();
        let Some(given) = given else { return Some(Value::Unknown) };
        // What is looked up in the parameter store is known there alone.
        if kind.starts_with("AWS::SSM::Parameter::Value") {
            return Some(Value::Unknown);
        }
        // What is not echoed comes back as asterisks. A condition may still ask whether it is set.
        let unheard = parameter.get("NoEcho").and_then(loose).is_some_and(|word| word == "true");
        if unheard && self.within.get() == 0 {
            return Some(Value::Unknown);
        }
        Some(match given {
            Value::Text(text) if kind == "CommaDelimitedList" || kind.starts_with("List<") => {
                Value::List(text.split(',').map(|item| Value::text(item.trim())).collect())
            }
            other => other.clone(),
        })
    }

    fn function(&self, name: &str, argument: &Owned) -> Option<Owned> {
        if name == "Fn::If" {
            return self.choice(argument);
        }
        if name == "Fn::Sub" {
            return Some(self.substituted(argument).unwrap_or(Value::Unknown));
        }
        let argument = self.resolved(argument)?;
        Some(self.applied(name, &argument).unwrap_or(Value::Unknown))
    }

    /// `Fn::If`: only the branch that counts is looked at.
    fn choice(&self, argument: &Owned) -> Option<Owned> {
        let Value::List(parts) = argument else { return Some(Value::Unknown) };
        let [condition, yes, no] = parts.as_slice() else { return Some(Value::Unknown) };
        match condition.as_text().and_then(|name| self.condition(name)) {
            Some(true) => self.resolved(yes),
            Some(false) => self.resolved(no),
            None => Some(Value::Unknown),
        }
    }

    fn applied(&self, name: &str, argument: &Owned) -> Option<Owned> {
        let items = match argument {
            Value::List(items) => items.as_slice(),
            _ => &[],
        };
        match (name, items) {
            ("Fn::Join", [separator, Value::List(parts)]) => {
                let parts: Option<Vec<String>> = parts.iter().map(loose).collect();
                Some(Value::text(parts?.join(separator.as_text()?)))
            }
            ("Fn::Split", [separator, text]) => {
                let parts = text.as_text()?.split(separator.as_text()?);
                Some(Value::List(parts.map(Value::text).collect()))
            }
            ("Fn::Select", [place, Value::List(parts)]) => {
                parts.get(loose(place)?.parse::<usize>().ok()?).cloned()
            }
            ("Fn::FindInMap", [map, first, second, ..]) => {
                let found = self.template.get("Mappings")?.get(map.as_text()?)?;
                found.get(&loose(first)?)?.get(&loose(second)?).cloned()
            }
            ("Fn::Equals", [one, other]) => Some(Value::Bool(loose(one)? == loose(other)?)),
            ("Fn::Not", [condition]) => Some(Value::Bool(!self.decided(condition)?)),
            // Decided by one that is known where one is enough.
            ("Fn::And", conditions) => self.combined(conditions, false),
            ("Fn::Or", conditions) => self.combined(conditions, true),
            ("Fn::Base64", _) => Some(Value::text(STANDARD.encode(argument.as_text()?))),
            ("Fn::Length", items) if matches!(argument, Value::List(_)) => {
                Some(Value::Number(items.len().into()))
            }
            ("Fn::ToJsonString", _) => Some(Value::text(argument.to_json().to_string())),
            ("Fn::GetAtt", [resource, attribute]) => self.attribute(resource, attribute),
            _ => None,
        }
    }

    /// Some conditions together: `decisive` when one of them is, else its opposite.
    fn combined(&self, conditions: &[Owned], decisive: bool) -> Option<Owned> {
        let decided: Vec<Option<bool>> =
            conditions.iter().map(|condition| self.decided(condition)).collect();
        if decided.contains(&Some(decisive)) {
            return Some(Value::Bool(decisive));
        }
        decided.iter().all(Option::is_some).then_some(Value::Bool(!decisive))
    }

    /// An attribute that follows from what is known of the stack.
    fn attribute(&self, resource: &Owned, attribute: &Owned) -> Option<Owned> {
        let (resource, attribute) = (resource.as_text()?, attribute.as_text()?);
        let kind = self.template.get("Resources")?.get(resource)?.get("Type")?.as_text()?;
        let id = self.stack.physical.get(resource)?;
        match (kind, attribute) {
            ("AWS::EC2::SecurityGroup", "GroupId") | ("AWS::EC2::VPC", "VpcId") => {
                Some(Value::text(id.as_str()))
            }
            ("AWS::S3::Bucket", "Arn") => Some(Value::text(format!("arn:aws:s3:::{id}"))),
            _ => None,
        }
    }

    /// `Fn::Sub`: `${Name}`, `${Resource.Attribute}`, and `${!Literal}`.
    fn substituted(&self, argument: &Owned) -> Option<Owned> {
        let (text, given) = match argument {
            Value::Text(text) => (text.as_ref(), None),
            Value::List(parts) => match parts.as_slice() {
                [Value::Text(text), given @ Value::Map(_)] => (text.as_ref(), Some(given)),
                _ => return None,
            },
            _ => return None,
        };
        let mut made = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            made.push_str(before);
            let (name, after) = after.split_once('}')?;
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                made.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let value = match given.and_then(|given| given.get(name)) {
                Some(value) => self.resolved(value)?,
                None => match name.split_once('.') {
                    Some((resource, attribute)) => {
                        self.attribute(&Value::text(resource), &Value::text(attribute))?
                    }
                    None => self.reference(&Value::Text(Cow::Owned(name.to_owned())))?,
                },
            };
            made.push_str(&loose(&value)?);
        }
        made.push_str(rest);
        Some(Value::text(made))
    }
}
