//! A fake of CloudTrail on loopback, before a server that speaks the rest of AWS: moto has no
//! `LookupEvents`. It keeps what it was told, and gives it as CloudTrail does.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use connect::Outbound;
use connect::outbound::{Call, Rules};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A fake of CloudTrail. It ends with this value.
#[derive(Debug)]
pub struct Trail {
    /// Where it is, and through it the rest.
    pub endpoint: String,
    held: Arc<Mutex<Held>>,
    task: JoinHandle<()>,
}

impl Drop for Trail {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Debug, Default)]
struct Held {
    events: Vec<Value>,
    /// The code of the fault that is answered in place of events.
    fault: Option<String>,
    asked: Vec<String>,
}

#[derive(Debug, Clone)]
struct Door {
    held: Arc<Mutex<Held>>,
    rest: Option<String>,
    outbound: Outbound,
}

impl Trail {
    /// Starts one; what it does not know it hands to `rest`.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start(rest: Option<&str>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let here = "127.0.0.0/8:*".parse().expect("an allowance");
        let held = Arc::default();
        let door = Door {
            held: Arc::clone(&held),
            rest: rest.map(str::to_owned),
            outbound: Outbound::new(Rules::default().allowing(here)).expect("a way out"),
        };
        let routes = Router::new().fallback(answer).with_state(door);
        let task = tokio::spawn(async move {
            axum::serve(listener, routes).await.expect("the fake of CloudTrail");
        });
        Self { endpoint, held, task }
    }

    fn held<T>(&self, with: impl FnOnce(&mut Held) -> T) -> T {
        with(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Somebody called something at this second, about these resources.
    pub fn called(&self, (id, name): (&str, &str), actor: &str, at: i64, resources: &[&str]) {
        let record = json!({
            "userIdentity": { "type": "IAMUser", "arn": actor }, "readOnly": false,
            "userAgent": "console.amazonaws.com", "sourceIPAddress": "192.0.2.1",
        });
        let named = resources.iter().map(|name| json!({ "ResourceName": name }));
        let event = json!({
            "EventId": id, "EventName": name, "EventSource": "ec2.amazonaws.com",
            "EventTime": at, "Username": actor.rsplit('/').next(), "ReadOnly": "false",
            "Resources": named.collect::<Vec<_>>(), "CloudTrailEvent": record.to_string(),
        });
        self.held(|held| held.events.push(event));
    }

    /// From now on it answers with this fault; with events again when there is none.
    pub fn fails(&self, code: Option<&str>) {
        self.held(|held| held.fault = code.map(str::to_owned));
    }

    /// The resources it was asked about, page by page.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.held(|held| held.asked.clone())
    }
}

async fn answer(State(door): State<Door>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, 64 << 20).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let target = head.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    if target.is_some_and(|target| target.ends_with(".LookupEvents")) {
        let input = serde_json::from_slice(&body).unwrap_or_default();
        let mut held = door.held.lock().unwrap_or_else(PoisonError::into_inner);
        let name = input_name(&input).unwrap_or_default().to_owned();
        held.asked.push(name);
        return match &held.fault {
            Some(code) => {
                (StatusCode::BAD_REQUEST, json!({ "__type": code }).to_string()).into_response()
            }
            None => (StatusCode::OK, lookup(&held.events, &input).to_string()).into_response(),
        };
    }
    let Some(rest) = &door.rest else { return StatusCode::NOT_FOUND.into_response() };
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{rest}{path}");
    let mut headers: HeaderMap = head.headers;
    // The connection's own.
    for name in ["host", "content-length", "connection", "transfer-encoding"] {
        headers.remove(name);
    }
    let call = Call::new(head.method, &url).signed(headers).with_body(body.to_vec());
    match door.outbound.send(call).await {
        Ok(reply) => {
            let mut response = Response::new(Body::from(reply.body));
            *response.status_mut() = reply.status;
            response
        }
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

fn input_name(input: &Value) -> Option<&str> {
    let attribute = input.pointer("/LookupAttributes/0")?;
    (attribute["AttributeKey"] == "ResourceName").then_some(())?;
    attribute["AttributeValue"].as_str()
}

/// The events about a resource within a time, the newest first, two a page whatever is asked for.
pub(crate) fn lookup(events: &[Value], input: &Value) -> Value {
    let Some(name) = input_name(input) else { return json!({ "Events": [] }) };
    let within = |event: &Value| {
        let at = event["EventTime"].as_f64()?;
        Some(input["StartTime"].as_f64()? <= at && at <= input["EndTime"].as_f64()?)
    };
    let about = |event: &&Value| {
        let named = event["Resources"].as_array().into_iter().flatten();
        let mut names = named.map(|one| &one["ResourceName"]);
        names.any(|one| one == name) && within(event) == Some(true)
    };
    let all: Vec<&Value> = events.iter().rev().filter(about).collect();
    let from = input["NextToken"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0_usize);
    let some: Vec<&&Value> = all.iter().skip(from).take(2).collect();
    let next = (from + 2 < all.len()).then(|| (from + 2).to_string());
    json!({ "Events": some, "NextToken": next })
}
