//! Types that have no calls of their own here: Cloud Control reads them.

use futures::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::{Live, NotChecked, Part, Run, not_checked};
use crate::error::Error;
use crate::table::Ask;
use crate::tree::{as_list, text_at};

/// What Cloud Control calls it when it does not know a type, cannot list it, or needs to know more
/// than its name. Trying again changes none of them.
const NEVER: [&str; 4] = [
    "InvalidRequestException",
    "TypeNotFoundException",
    "UnsupportedActionException",
    "ValidationException",
];
/// What it calls a resource that is not there.
const GONE: [&str; 1] = ["ResourceNotFoundException"];

impl Run<'_> {
    /// Everything of a type. The list has names alone that can be relied on; each resource is asked
    /// for by itself.
    pub(super) async fn by_control(&self, kind: &str) -> Result<Part, Error> {
        if !well_formed(kind) {
            let why = "it is no type of AWS's".to_owned();
            let not = NotChecked { failed: false, ..not_checked(kind, None, why) };
            return Ok(Part { not_checked: vec![not], ..Part::default() });
        }
        let list = Ask::new("cloudcontrol", "ListResources", json!({ "TypeName": kind }));
        let listed = match self.list(&list.listing("ResourceDescriptions")).await {
            Ok(listed) => listed,
            Err(error) if error.code().is_some_and(|code| NEVER.contains(&code)) => {
                let not = NotChecked { failed: false, ..not_checked(kind, None, error.why()) };
                return Ok(Part { not_checked: vec![not], ..Part::default() });
            }
            Err(error) => return Err(error),
        };
        let listed = as_list(Some((*listed).clone())).into_iter();
        let found = listed.map(|listed| Box::pin(self.one_by_control(kind, listed)));
        let found: Vec<_> =
            stream::iter(found).buffered(self.aws.limits().at_once.max(1)).collect().await;
        let mut part = Part { whole: true, ..Part::default() };
        for found in found {
            match found {
                Ok(live) => part.resources.extend(live),
                Err(not) => {
                    part.whole &= not.id.is_some();
                    part.not_checked.push(not);
                }
            }
        }
        Ok(part)
    }

    async fn one_by_control(&self, kind: &str, listed: Value) -> Result<Option<Live>, NotChecked> {
        let Some(id) = text_at(&listed, "Identifier") else {
            let why = "Cloud Control lists a resource without a name".to_owned();
            return Err(not_checked(kind, None, why));
        };
        let input = json!({ "TypeName": kind, "Identifier": id });
        let ask = Ask::new("cloudcontrol", "GetResource", input);
        let answer = match self.aws.whole(&self.tally, &ask, &Value::Null).await {
            Ok(answer) => answer,
            Err(error) if error.code().is_some_and(|code| GONE.contains(&code)) => return Ok(None),
            Err(error) => return Err(not_checked(kind, Some(id), error.why())),
        };
        let text = text_at(&answer, "ResourceDescription.Properties");
        let properties = text.and_then(|text| serde_json::from_str(&text).ok());
        let Some(properties) = properties.filter(Value::is_object) else {
            let why = "Cloud Control gives no properties that can be read".to_owned();
            return Err(not_checked(kind, Some(id), why));
        };
        Ok(Some(Live { kind: kind.to_owned(), id, also: Vec::new(), properties }))
    }
}

/// Whether a type is named as Cloud Control takes it: `Vendor::Service::Resource`, and not one of
/// those a template makes up for itself (`Custom::…`, which have two parts).
fn well_formed(kind: &str) -> bool {
    let parts: Vec<_> = kind.split("::").collect();
    let plain = |part: &&str| {
        (2..=64).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    parts.len() == 3 && parts.iter().all(plain)
}
