//! Stacks of CloudFormation: what one declares, and which resources came of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::client::{Aws, Tally};
use crate::error::Error;
use crate::table::Ask;
use crate::tree::{as_list, list_at, text_at};

/// A stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is at: `UPDATE_COMPLETE`.
    pub status: String,
    /// Its parameters; of one that is not echoed AWS gives asterisks.
    pub parameters: BTreeMap<String, String>,
    /// Its resources by their logical ids.
    pub resources: BTreeMap<String, StackResource>,
    /// Its template, JSON or YAML, as it is after macros and transforms.
    pub template: String,
}

/// A resource of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackResource {
    /// Its type.
    pub kind: String,
    /// Its physical id; none before it is made and after it is deleted.
    pub id: Option<String>,
    /// What it is at: `CREATE_COMPLETE`.
    pub status: String,
}

impl Aws {
    /// A stack by its name or its id.
    ///
    /// # Errors
    /// When there is none, it may not be read, or there is no answer.
    pub async fn stack(&self, name: &str) -> Result<Stack, Error> {
        let tally = Tally::default();
        let ask = Ask::new("cloudformation", "DescribeStacks", json!({ "StackName": name }));
        let stacks = self.whole(&tally, &ask.clone().listing("Stacks"), &Value::Null).await?;
        let stack = as_list(Some(stacks)).into_iter().next();
        let part = |name, fault| {
            let text = stack.as_ref().and_then(|stack| text_at(stack, name));
            text.ok_or_else(|| Error::Unreadable { call: ask.title(), fault })
        };
        let parameters = stack.as_ref().map(|stack| list_at(stack, "Parameters"));
        let parameters = parameters.into_iter().flatten().filter_map(|parameter| {
            let value = text_at(&parameter, "ResolvedValue");
            let value = value.or_else(|| text_at(&parameter, "ParameterValue"));
            Some((text_at(&parameter, "ParameterKey")?, value.unwrap_or_default()))
        });
        let list = Ask::new("cloudformation", "ListStackResources", json!({ "StackName": name }));
        let list = list.listing("StackResourceSummaries");
        let listed = self.whole(&tally, &list, &Value::Null).await?;
        let resources = as_list(Some(listed)).into_iter().filter_map(|one| {
            let resource = StackResource {
                kind: text_at(&one, "ResourceType")?,
                id: text_at(&one, "PhysicalResourceId"),
                status: text_at(&one, "ResourceStatus").unwrap_or_default(),
            };
            Some((text_at(&one, "LogicalResourceId")?, resource))
        });
        let input = json!({ "StackName": name, "TemplateStage": "Processed" });
        let get = Ask::new("cloudformation", "GetTemplate", input);
        let template = self.whole(&tally, &get, &Value::Null).await?;
        let no_template = Error::Unreadable { call: get.title(), fault: "it has no template" };
        Ok(Stack {
            id: part("StackId", "it has no stack")?,
            name: part("StackName", "the stack has no name")?,
            status: part("StackStatus", "the stack has no status")?,
            parameters: parameters.collect(),
            resources: resources.collect(),
            template: text_at(&template, "TemplateBody").ok_or(no_template)?,
        })
    }
}
