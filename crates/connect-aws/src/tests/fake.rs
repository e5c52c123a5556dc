//! A fake of what moto does not do: Cloud Control, the history of CloudTrail, a list of VPCs, and
//! answers gone wrong.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::testing::lookup;

/// What is answered in place of what was asked for.
#[derive(Debug, Clone)]
pub(super) enum Instead {
    /// This, as it is.
    Answer(u16, String),
    /// Nothing, ever.
    Silence,
    /// The connection ends.
    End,
}

impl Instead {
    /// An error as services over JSON tell them.
    pub(super) fn error(status: u16, code: &str) -> Self {
        let body =
            json!({ "__type": format!("com.amazon.coral.service#{code}"), "Message": "No." });
        Self::Answer(status, body.to_string())
    }
}

#[derive(Debug, Default)]
struct Held {
    /// By type and identifier.
    resources: BTreeMap<String, BTreeMap<String, Value>>,
    events: Vec<Value>,
    vpcs: Vec<String>,
    /// By call, or by call and identifier; the last one stays when it is to stay.
    instead: HashMap<String, VecDeque<Instead>>,
    always: HashMap<String, Instead>,
    asked: Vec<String>,
}

/// A fake of AWS on a port of its own.
#[derive(Debug, Clone)]
pub(super) struct FakeAws {
    pub(super) endpoint: String,
    held: Arc<Mutex<Held>>,
}

impl FakeAws {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let fake = Self { endpoint, held: Arc::default() };
        let router = Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    fn held<T>(&self, with: impl FnOnce(&mut Held) -> T) -> T {
        with(&mut self.held.lock().unwrap())
    }

    /// There is a resource.
    pub(super) fn has(&self, kind: &str, id: &str, properties: Value) {
        self.held(|held| {
            held.resources.entry(kind.to_owned()).or_default().insert(id.to_owned(), properties)
        });
    }

    /// There is a VPC.
    pub(super) fn has_vpc(&self, id: &str) {
        self.held(|held| held.vpcs.push(id.to_owned()));
    }

    /// Something was done.
    pub(super) fn happened(&self, event: Value) {
        self.held(|held| held.events.push(event));
    }

    /// The next of these calls are answered so: `ListResources`, or `GetResource b`.
    pub(super) fn next(&self, call: &str, instead: impl IntoIterator<Item = Instead>) {
        self.held(|held| held.instead.entry(call.to_owned()).or_default().extend(instead));
    }

    /// All of these calls are answered so.
    pub(super) fn always(&self, call: &str, instead: Instead) {
        self.held(|held| held.always.insert(call.to_owned(), instead));
    }

    /// How often something was asked for.
    pub(super) fn asked(&self, call: &str) -> usize {
        self.held(|held| held.asked.iter().filter(|asked| *asked == call).count())
    }
}

async fn answer(
    State(fake): State<FakeAws>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(path) = uri.path().strip_prefix("/2015-03-31/functions") {
        return fake.held(|held| functions(held, path.trim_start_matches('/')));
    }
    if uri.query().is_some() {
        return fake.held(|held| buckets(held, uri.path().trim_start_matches('/')));
    }
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    let (call, input) = match target.and_then(|target| target.rsplit_once('.')) {
        Some((_, call)) => (call.to_owned(), serde_json::from_slice(&body).unwrap()),
        None => {
            let form: HashMap<String, String> = form(&body);
            (form["Action"].clone(), json!(form))
        }
    };
    if !headers.get("authorization").is_some_and(|value| value.as_bytes().starts_with(b"AWS4-")) {
        return (StatusCode::FORBIDDEN, "unsigned").into_response();
    }
    let one = format!("{call} {}", input["Identifier"].as_str().unwrap_or_default());
    let instead = fake.held(|held| {
        held.asked.extend([call.clone(), one.clone()]);
        let next = |name: &str, held: &mut Held| held.instead.get_mut(name)?.pop_front();
        let next = next(&one, held).or_else(|| next(&call, held));
        next.or_else(|| held.always.get(&one).or_else(|| held.always.get(&call)).cloned())
    });
    match instead {
        Some(Instead::Answer(status, body)) => {
            return (StatusCode::from_u16(status).unwrap(), body).into_response();
        }
        Some(Instead::Silence) => return std::future::pending().await,
        Some(Instead::End) => panic!("the connection ends here"),
        None => {}
    }
    fake.held(|held| match call.as_str() {
        "ListResources" => list_resources(held, &input),
        "GetResource" => get_resource(held, &input),
        "LookupEvents" => json_answer(&lookup(&held.events, &input)),
        "DescribeVpcs" => describe_vpcs(held, &input),
        "DescribeVpcAttribute" => vpc_attribute(&input),
        _ => (StatusCode::BAD_REQUEST, r#"{"__type":"UnknownOperationException"}"#).into_response(),
    })
}

fn form(body: &[u8]) -> HashMap<String, String> {
    let text = std::str::from_utf8(body).unwrap();
    let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(name, value)| (name.to_owned(), value.replace("%2F", "/"))).collect()
}

/// A page of a list: what it holds, and the mark of the next.
fn page<T: Clone>(all: &[T], input: &Value, size: &str, token: &str) -> (Vec<T>, Option<String>) {
    let number = |name: &str| match &input[name] {
        Value::String(text) => text.parse::<usize>().ok(),
        other => other.as_u64().and_then(|number| usize::try_from(number).ok()),
    };
    let from = number(token).unwrap_or(0);
    let to = all.len().min(from + number(size).unwrap_or(usize::MAX - from));
    (all[from..to].to_vec(), (to < all.len()).then(|| to.to_string()))
}

fn json_answer(body: &Value) -> Response {
    (StatusCode::OK, body.to_string()).into_response()
}

fn refusal(code: &str) -> Response {
    let body = json!({ "__type": code, "message": "No." }).to_string();
    (StatusCode::BAD_REQUEST, body).into_response()
}

fn list_resources(held: &Held, input: &Value) -> Response {
    let Some(all) = held.resources.get(input["TypeName"].as_str().unwrap()) else {
        return refusal("TypeNotFoundException");
    };
    // As some handlers do it: the name alone, and of the properties not all.
    let all: Vec<Value> =
        all.keys().map(|id| json!({ "Identifier": id, "Properties": "{}" })).collect();
    let (some, next) = page(&all, input, "MaxResults", "NextToken");
    json_answer(&json!({ "ResourceDescriptions": some, "NextToken": next }))
}

fn get_resource(held: &Held, input: &Value) -> Response {
    let kind = held.resources.get(input["TypeName"].as_str().unwrap());
    let id = input["Identifier"].as_str().unwrap();
    match kind.and_then(|kind| kind.get(id)) {
        None => refusal("ResourceNotFoundException"),
        Some(properties) => json_answer(&json!({
            "TypeName": input["TypeName"],
            "ResourceDescription": { "Identifier": id, "Properties": properties.to_string() },
        })),
    }
}

/// All functions, or one.
fn functions(held: &Held, name: &str) -> Response {
    let empty = BTreeMap::new();
    let all = held.resources.get("AWS::Lambda::Function").unwrap_or(&empty);
    match all.get(name) {
        Some(one) => json_answer(&json!({ "Configuration": one })),
        None => json_answer(&json!({ "Functions": all.values().collect::<Vec<_>>() })),
    }
}

/// All buckets, those of every region, or the policy of one.
fn buckets(held: &Held, name: &str) -> Response {
    let all = &held.resources["AWS::S3::BucketPolicy"];
    if let Some(one) = all.get(name) {
        return json_answer(&one["Policy"]);
    }
    let bucket = |(name, one): (&String, &Value)| {
        let region = one["Region"].as_str().unwrap();
        format!("<Bucket><Name>{name}</Name><BucketRegion>{region}</BucketRegion></Bucket>")
    };
    let all: String = all.iter().map(bucket).collect();
    let body = format!("<ListAllMyBucketsResult><Buckets>{all}</Buckets></ListAllMyBucketsResult>");
    (StatusCode::OK, body).into_response()
}

fn describe_vpcs(held: &Held, input: &Value) -> Response {
    let (some, next) = page(&held.vpcs, input, "MaxResults", "NextToken");
    let items: String = some.iter().map(|id| format!("<item><vpcId>{id}</vpcId></item>")).collect();
    let next = next.map(|next| format!("<nextToken>{next}</nextToken>")).unwrap_or_default();
    let set = format!("<vpcSet>{items}</vpcSet>{next}");
    (StatusCode::OK, format!("<DescribeVpcsResponse>{set}</DescribeVpcsResponse>")).into_response()
}

fn vpc_attribute(input: &Value) -> Response {
    let name = input["Attribute"].as_str().unwrap();
    let flag = format!("<{name}><value>true</value></{name}>");
    let body = format!("<DescribeVpcAttributeResponse>{flag}</DescribeVpcAttributeResponse>");
    (StatusCode::OK, body).into_response()
}
