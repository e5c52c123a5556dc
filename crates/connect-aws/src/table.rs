//! What ships in `content/drift/aws-reads.yaml`: how each service is spoken to and each type read.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    serde_saphyr::from_str(include_str!("../../../content/drift/aws-reads.yaml"))
        .unwrap_or_else(|error| unreachable!("content/drift/aws-reads.yaml: {error}"))
});

/// The whole of it. The file says what its parts mean.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    #[expect(dead_code, reason = "for whoever reads the file")]
    version: u32,
    pub(crate) services: BTreeMap<String, Service>,
    pub(crate) types: Vec<Kind>,
}

impl Table {
    pub(crate) fn shipped() -> &'static Self {
        &TABLE
    }

    /// How a type is read, where the table knows.
    pub(crate) fn kind(&self, name: &str) -> Option<&Kind> {
        self.types.iter().find(|kind| kind.kind == name)
    }
}

/// How a service is spoken to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Service {
    pub(crate) protocol: Protocol,
    /// The first part of its host, where that is not its name.
    pub(crate) host: Option<String>,
    /// What signatures call it, where that is not its name.
    pub(crate) signing: Option<String>,
    /// The version of a query.
    #[serde(default)]
    pub(crate) api: String,
    /// What stands before the name of a call over JSON.
    #[serde(default)]
    pub(crate) target: String,
    /// Calls a second.
    pub(crate) rate: f64,
    /// Calls at once.
    pub(crate) burst: f64,
    /// There is one for all regions.
    #[serde(default)]
    pub(crate) global: bool,
    /// How its lists go on, where a call does not say otherwise.
    pub(crate) paging: Option<Paging>,
}

/// A protocol of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Protocol {
    /// A form goes, XML comes.
    #[serde(rename = "query")]
    Query,
    /// A path and a query go, XML or JSON comes.
    #[serde(rename = "s3")]
    S3,
    /// A path and a query go, JSON comes.
    #[serde(rename = "rest")]
    Rest,
    /// JSON goes and comes, the call in a header.
    #[serde(rename = "json-1.0")]
    Json10,
    /// As 1.0, under another media type.
    #[serde(rename = "json-1.1")]
    Json11,
}

/// How a list goes on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    /// Where the answer holds the mark of the next page.
    pub(crate) next: String,
    /// Which input takes it.
    pub(crate) token: String,
    /// Which input says how large a page is.
    pub(crate) size_name: Option<String>,
    /// How large.
    #[serde(default)]
    pub(crate) size: u32,
    /// The smallest page the service gives.
    #[serde(default = "five")]
    pub(crate) least: u32,
}

const fn five() -> u32 {
    5
}

/// What a call says of its paging.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Pages {
    /// `none`: all comes at once.
    Word(NoPaging),
    Own(Paging),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NoPaging {
    None,
}

/// A call.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ask {
    pub(crate) service: String,
    /// Its name; over REST the method and the path.
    pub(crate) call: String,
    #[serde(default)]
    pub(crate) input: Map<String, Value>,
    /// Where the answer holds its list; the answer itself counts when absent.
    pub(crate) items: Option<String>,
    pub(crate) paging: Option<Pages>,
    /// How large a page is, where the service's is not good.
    pub(crate) size: Option<u32>,
    // Of the lists beside and the calls for each resource; here because flattened structures know
    // no unknown fields.
    /// Where the answer goes.
    #[serde(default)]
    pub(crate) name: String,
    /// The name that both lists have.
    #[serde(default)]
    pub(crate) by: String,
    /// Errors that say that this was never set.
    #[serde(default)]
    pub(crate) absent: Vec<String>,
    /// Without this there is no resource.
    #[serde(default)]
    pub(crate) needed: bool,
    /// It is asked only where these paths have one of these texts.
    #[serde(default)]
    pub(crate) when: Texts,
}

/// Paths with the texts they may have.
pub(crate) type Texts = BTreeMap<String, Vec<String>>;

impl Ask {
    /// A call that no table lists.
    pub(crate) fn new(service: &str, call: &str, input: Value) -> Self {
        let input = if let Value::Object(input) = input { input } else { Map::new() };
        Self {
            service: service.to_owned(),
            call: call.to_owned(),
            input,
            items: None,
            paging: Some(Pages::Word(NoPaging::None)),
            size: None,
            name: String::new(),
            by: String::new(),
            absent: Vec::new(),
            needed: false,
            when: Texts::new(),
        }
    }

    /// The same as a list at this path, that goes on as the service's lists do.
    pub(crate) fn listing(self, items: &str) -> Self {
        Self { items: Some(items.to_owned()), paging: None, ..self }
    }

    /// What it is called in errors: `ec2:DescribeVpcs`.
    pub(crate) fn title(&self) -> String {
        format!("{}:{}", self.service, self.call)
    }

    /// How its list goes on.
    pub(crate) fn paging(&self, service: &Service) -> Option<Paging> {
        let paging = match &self.paging {
            Some(Pages::Word(NoPaging::None)) => None,
            Some(Pages::Own(paging)) => Some(paging.clone()),
            None => service.paging.clone(),
        }?;
        Some(Paging { size: self.size.unwrap_or(paging.size), ..paging })
    }
}

/// How a type is read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kind {
    /// Its name in CloudFormation.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) list: Ask,
    #[serde(default)]
    pub(crate) beside: Vec<Ask>,
    #[serde(default)]
    pub(crate) each: Vec<Ask>,
    /// Where its physical id is.
    pub(crate) id: String,
    /// Where other names of it are.
    #[serde(default)]
    pub(crate) also: Vec<String>,
    #[serde(default)]
    pub(crate) gone: Vec<String>,
    #[serde(default)]
    pub(crate) skip: Texts,
    /// Where it says that a part of it could not be read.
    pub(crate) fault: Option<String>,
    /// Where its region is, when the list has those of others.
    pub(crate) elsewhere: Option<String>,
    pub(crate) properties: Shape,
}

/// Where the members of an object are.
pub(crate) type Shape = BTreeMap<String, Source>;

/// Where a property is, and what it is.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Source {
    /// It is there as it is.
    Path(String),
    Shaped(Box<Shaped>),
}

/// A property that is not given as AWS's resource types have it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shaped {
    pub(crate) from: From,
    /// What of it counts: what has one of these texts at each of these paths.
    #[serde(default, rename = "where")]
    pub(crate) only: Texts,
    /// What of it does not count: what has one of these texts at one of these paths.
    #[serde(default)]
    pub(crate) unless: Texts,
    /// Where to go on from what is left.
    pub(crate) take: Option<String>,
    /// It is an object of these members.
    pub(crate) of: Option<Shape>,
    /// It is a list of objects of these members.
    pub(crate) each: Option<Shape>,
    #[serde(rename = "as")]
    pub(crate) form: Option<Form>,
    /// What holds when it is not there.
    pub(crate) default: Option<Value>,
}

/// The places where a property may be: the first that is there counts.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum From {
    One(String),
    Several(Vec<String>),
}

/// What a property is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Form {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Number,
    /// A list, also where AWS gives one value alone.
    List,
    /// The first of a list.
    First,
    /// The last part of a name: behind the last `/` or `:`.
    Last,
    /// A text with commas between the parts of a list.
    Split,
    /// Whether a word says that something is on.
    Enabled,
    /// A text of JSON.
    Json,
    /// A document of IAM: JSON, percent-encoded.
    Document,
    /// Tags, however they are written: a list of `Key` and `Value`.
    Tags,
    /// Tags as an object.
    TagMap,
    /// What a security group lets in, rule by rule.
    RulesIn,
    /// What it lets out.
    RulesOut,
}
