//! A fake of Azure: Entra's tokens, Resource Graph, and Resource Manager's reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use super::{Book, Fault, answered, bears, decoded, form};

/// The columns of a row, which are there also when they are empty.
const COLUMNS: [&str; 12] = [
    "id",
    "name",
    "type",
    "kind",
    "location",
    "resourceGroup",
    "managedBy",
    "sku",
    "identity",
    "zones",
    "tags",
    "properties",
];

#[derive(Debug, Default)]
struct Held {
    /// By id in small letters, as Resource Manager gives them.
    resources: BTreeMap<String, Value>,
    /// What the caller may not read.
    hidden: BTreeSet<String>,
    /// What Resource Graph does not have yet.
    young: BTreeSet<String>,
    /// How many tokens were given; the last one counts.
    tokens: u32,
    /// How many queries are left in the window; without a bound when absent.
    quota: Option<u32>,
    book: Book,
}

/// A fake of Azure on a port of its own.
#[derive(Debug, Clone)]
pub struct FakeAzure {
    endpoint: String,
    held: Arc<Mutex<Held>>,
}

impl FakeAzure {
    /// The directory it has, the application and its secret.
    pub const LOGIN: (&'static str, &'static str, &'static str) =
        ("contoso.example", "00000000-aaaa-bbbb-cccc-000000000001", "s3cr3t~of+the/app");

    /// Starts one.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("its address"));
        let fake = Self { endpoint, held: Arc::default() };
        let router = Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    /// Where it is, for tokens and for all else.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is a resource, as Resource Manager gives it.
    ///
    /// # Panics
    /// When it has no id.
    pub fn put(&self, resource: Value) {
        let id = resource["id"].as_str().expect("an id").to_lowercase();
        self.held().resources.insert(id, resource);
    }

    /// Somebody changes a resource.
    ///
    /// # Panics
    /// When it is not there.
    pub fn change(&self, id: &str, with: impl FnOnce(&mut Value)) {
        with(self.held().resources.get_mut(&id.to_lowercase()).expect("it is there"));
    }

    /// Somebody deletes a resource.
    pub fn delete(&self, id: &str) {
        self.held().resources.remove(&id.to_lowercase());
    }

    /// The caller may not read a resource: Resource Graph is silent about it.
    pub fn hide(&self, id: &str) {
        self.held().hidden.insert(id.to_lowercase());
    }

    /// Resource Graph does not have a resource yet.
    pub fn lag(&self, id: &str) {
        self.held().young.insert(id.to_lowercase());
    }

    /// No token is good any more.
    pub fn revoke(&self) {
        self.held().tokens += 1;
    }

    /// Only so many queries are left; then they are put off for a second, once.
    pub fn quota(&self, left: u32) {
        self.held().quota = Some(left);
    }

    /// The next of these calls go wrong: `token`, `query`, `read`.
    pub fn next(&self, call: &str, faults: impl IntoIterator<Item = Fault>) {
        self.held().book.next.entry(call.to_owned()).or_default().extend(faults);
    }

    /// All of these calls go wrong.
    pub fn always(&self, call: &str, fault: Fault) {
        self.held().book.always.insert(call.to_owned(), fault);
    }

    /// How often something was asked for.
    #[must_use]
    pub fn asked(&self, call: &str) -> usize {
        self.held().book.asked(call)
    }
}

async fn answer(
    State(fake): State<FakeAzure>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = decoded(uri.path());
    let call = if path.ends_with("/oauth2/v2.0/token") {
        "token"
    } else if path == "/providers/Microsoft.ResourceGraph/resources" && method == Method::POST {
        "query"
    } else {
        "read"
    };
    let mut held = fake.held();
    match held.book.note(call) {
        Some(Fault::Status { status, code, retry_after }) => {
            let mut response = refused(status, &code);
            if let Some(seconds) = retry_after {
                response.headers_mut().insert("retry-after", seconds.into());
            }
            return response;
        }
        Some(Fault::Text(text)) => return axum::response::IntoResponse::into_response(text),
        None => {}
    }
    if call == "token" {
        return token(&mut held, &fake.endpoint, &path, &form(&body));
    }
    if !bears(&headers, &format!("token-{}", held.tokens)) {
        return refused(401, "InvalidAuthenticationToken");
    }
    if !uri.query().is_some_and(|query| query.contains("api-version=20")) {
        return refused(400, "MissingApiVersionParameter");
    }
    if call == "query" { query(&mut held, &body) } else { read(&held, &path) }
}

/// An error as Resource Manager writes it.
fn refused(status: u16, code: &str) -> Response {
    answered(status, &json!({ "error": { "code": code, "message": "No." } }))
}

fn token(
    held: &mut Held,
    endpoint: &str,
    path: &str,
    form: &std::collections::HashMap<String, String>,
) -> Response {
    let (tenant, client, secret) = FakeAzure::LOGIN;
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let assertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let vouched = field("client_assertion_type") == assertion
        && field("client_assertion") == "a token of the cluster";
    let good = path == format!("/{tenant}/oauth2/v2.0/token")
        && field("grant_type") == "client_credentials"
        && field("client_id") == client
        && field("scope") == format!("{endpoint}/.default")
        && (field("client_secret") == secret || vouched);
    if !good {
        let told = json!({ "error": "invalid_client", "error_description": "AADSTS7000215" });
        return answered(401, &told);
    }
    held.tokens += 1;
    let token = format!("token-{}", held.tokens);
    answered(200, &json!({ "token_type": "Bearer", "expires_in": 3_599, "access_token": token }))
}

/// A resource, or a part of one.
fn read(held: &Held, path: &str) -> Response {
    let id = path.to_lowercase();
    if held.hidden.contains(&id) {
        return refused(403, "AuthorizationFailed");
    }
    if let Some(resource) = held.resources.get(&id) {
        return answered(200, resource);
    }
    let parts = held.resources.values().flat_map(|resource| {
        let lists = resource["properties"].as_object().into_iter().flat_map(Map::values);
        lists.filter_map(Value::as_array).flatten()
    });
    let is = |part: &&Value| part["id"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(&id));
    match parts.into_iter().find(is) {
        Some(part) => answered(200, part),
        None => refused(404, "ResourceNotFound"),
    }
}

/// The rows of a query, a page of them.
fn query(held: &mut Held, body: &[u8]) -> Response {
    if held.quota == Some(0) {
        held.quota = None;
        let mut response = refused(429, "RateLimiting");
        response.headers_mut().insert("retry-after", 1.into());
        return response;
    }
    held.quota = held.quota.map(|left| left.saturating_sub(1));
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = asked["query"].as_str().unwrap_or_default();
    let Some((table, column, texts)) = understood(text) else {
        return refused(400, "BadRequest");
    };
    let mut all = held.resources.clone();
    all.retain(|id, _| !held.hidden.contains(id) && !held.young.contains(id));
    let subscription = asked["subscriptions"][0].as_str().unwrap_or_default().to_lowercase();
    let rows: Vec<Value> = all
        .into_iter()
        .filter(|(id, _)| id.starts_with(&format!("/subscriptions/{subscription}/")))
        .map(|(_, resource)| row(&resource))
        .filter(|row| {
            let group = row["type"] == "microsoft.resources/subscriptions/resourcegroups";
            let said = row[column].as_str().unwrap_or_default().to_lowercase();
            group == (table == "resourcecontainers") && texts.contains(&said)
        })
        .collect();
    let options = &asked["options"];
    let top = options["$top"].as_u64().and_then(|top| usize::try_from(top).ok()).unwrap_or(100);
    // A mark is good for its own query.
    let mark = |place: usize| format!("{place}:{}", text.len());
    let from = match options["$skipToken"].as_str() {
        None => 0,
        Some(token) => {
            let place = token.split(':').next().and_then(|place| place.parse().ok());
            match place.filter(|place| mark(*place) == token) {
                Some(place) => place,
                None => return refused(400, "InvalidSkipToken"),
            }
        }
    };
    let page: Vec<&Value> = rows.iter().skip(from).take(top).collect();
    let to = from + page.len();
    let mut answer = json!({
        "totalRecords": rows.len(), "count": page.len(), "data": page, "facets": [],
        "resultTruncated": "false",
    });
    if to < rows.len() {
        answer["$skipToken"] = mark(to).into();
    }
    let mut response = answered(200, &answer);
    let left = held.quota.unwrap_or(15);
    let headers = response.headers_mut();
    headers.insert("x-ms-user-quota-remaining", left.into());
    let resets = if left == 0 { "00:00:01" } else { "00:00:05" };
    headers.insert("x-ms-user-quota-resets-after", axum::http::HeaderValue::from_static(resets));
    response
}

/// A query: its table, the column it looks at, and the texts one of which stands there.
fn understood(text: &str) -> Option<(&str, &str, BTreeSet<String>)> {
    let mut steps = text.split(" | ");
    let (table, filter) = (steps.next()?, steps.next()?.strip_prefix("where ")?);
    let (column, list) = filter.split_once(" in~ (")?;
    let columns = steps.next()?.strip_prefix("project ")?;
    let good = ["resources", "resourcecontainers"].contains(&table)
        && ["id", "type"].contains(&column)
        && columns.split(", ").map(str::trim).eq(COLUMNS)
        && steps.next() == Some("order by id asc")
        && steps.next().is_none();
    let texts = list
        .strip_suffix(')')?
        .split(", ")
        .map(|text| text.strip_prefix('\'')?.strip_suffix('\'').map(str::to_lowercase));
    Some((table, column, texts.collect::<Option<_>>()?)).filter(|_| good)
}

/// A resource as Resource Graph has it: the type and the group in small letters, every column there.
fn row(resource: &Value) -> Value {
    let id = resource["id"].as_str().unwrap_or_default();
    let group = id.split('/').nth(4).unwrap_or_default().to_lowercase();
    let column = |name: &str| match name {
        "type" => resource["type"].as_str().unwrap_or_default().to_lowercase().into(),
        "resourceGroup" => group.clone().into(),
        "kind" | "managedBy" if resource[name].is_null() => "".into(),
        other => resource[other].clone(),
    };
    Value::Object(COLUMNS.iter().map(|name| ((*name).to_owned(), column(name))).collect())
}
