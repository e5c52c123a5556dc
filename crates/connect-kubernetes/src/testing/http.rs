//! How the fake API server is spoken to: paths, queries and answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use futures::stream;
use serde_json::{Value, json};

use super::kinds::{self, Known};
use super::selector::{fields_fit, labels_fit};
use super::store::{By, Patch, Place, Refused, Store, missing, refused};
use super::{Fault, Shared};

/// The largest body that is taken, in bytes.
const MOST_BYTES: usize = 4 << 20;

/// A request, taken apart.
struct Asked {
    method: Method,
    path: Vec<String>,
    query: BTreeMap<String, String>,
    media_type: String,
    accept: String,
    agent: String,
    body: Bytes,
}

impl Asked {
    async fn of(request: Request<Body>) -> Self {
        let (parts, body) = request.into_parts();
        let text = |name: header::HeaderName| {
            let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let url = url::Url::parse(&format!("http://fake{}", parts.uri));
        let query = url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default();
        let steps = parts.uri.path().split('/').filter(|step| !step.is_empty());
        Self {
            path: steps.map(str::to_owned).collect(),
            query,
            media_type: text(header::CONTENT_TYPE),
            accept: text(header::ACCEPT),
            agent: text(header::USER_AGENT),
            body: to_bytes(body, MOST_BYTES).await.unwrap_or_default(),
            method: parts.method,
        }
    }

    fn says(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn json(&self) -> Result<Value, Refused> {
        serde_json::from_slice(&self.body)
            .map_err(|error| refused(400, "BadRequest", format!("the body: {error}")))
    }

    /// Who changes something: as told, else who the program says it is.
    fn by(&self, subresource: &str) -> By {
        let agent = self.agent.split('/').next().unwrap_or_default();
        By {
            manager: self.says("fieldManager").unwrap_or(agent).to_owned(),
            subresource: subresource.to_owned(),
            dry: self.says("dryRun") == Some("All"),
            force: self.says("force") == Some("true"),
        }
    }
}

/// What a path leads to.
struct Aim {
    known: &'static Known,
    namespace: Option<String>,
    name: Option<String>,
    subresource: String,
}

impl Aim {
    /// Reads what comes behind the group and its version.
    fn of(group: &str, version: &str, rest: &[String]) -> Option<Self> {
        let known = |plural: &str| kinds::of_plural(group, version, plural);
        let text: Vec<&str> = rest.iter().map(String::as_str).collect();
        let (known, namespace, rest) = match text.as_slice() {
            ["namespaces", namespace, plural, rest @ ..] if known(plural).is_some() => {
                (known(plural)?, Some((*namespace).to_owned()), rest)
            }
            [plural, rest @ ..] => (known(plural)?, None, rest),
            [] => return None,
        };
        let name = rest.first().map(|name| (*name).to_owned());
        let subresource = rest.get(1).copied().unwrap_or_default().to_owned();
        (rest.len() <= 2).then_some(Self { known, namespace, name, subresource })
    }

    fn place(&self) -> Place {
        let namespace = self.namespace.clone().unwrap_or_default();
        (self.known.plural, namespace, self.name.clone().unwrap_or_default())
    }
}

fn answer(status: u16, body: &Value) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn refusal(refused: &Refused) -> Response<Body> {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": refused.message, "reason": refused.reason, "details": refused.details,
        "code": refused.status,
    });
    answer(refused.status, &body)
}

/// Answers a request.
pub(super) async fn serve(shared: Arc<Shared>, request: Request<Body>) -> Response<Body> {
    let answer = answer_to(&shared, request).await;
    // Others get their turn, so that requests that come together are open together.
    tokio::task::yield_now().await;
    shared.lock().open -= 1;
    answer
}

async fn answer_to(shared: &Arc<Shared>, request: Request<Body>) -> Response<Body> {
    let asked = format!("{} {}", request.method(), request.uri());
    let bearer = request.headers().get(header::AUTHORIZATION).cloned();
    if let Some(fault) = shared.take_fault(&asked) {
        return fault_answer(fault).await;
    }
    if let Some(token) = &shared.token {
        let given = bearer.as_ref().and_then(|bearer| bearer.to_str().ok());
        if given.and_then(|given| given.strip_prefix("Bearer ")) != Some(token) {
            return refusal(&refused(401, "Unauthorized", "Unauthorized"));
        }
    }
    let asked = Asked::of(request).await;
    match route(shared, &asked) {
        Ok(response) => response,
        Err(refused) => refusal(&refused),
    }
}

async fn fault_answer(fault: Fault) -> Response<Body> {
    match fault {
        Fault::Status { status, retry_after, body } => {
            let mut response = if body.starts_with('<') {
                (StatusCode::from_u16(status).unwrap_or_default(), body).into_response()
            } else {
                refusal(&refused(status, "Fault", body))
            };
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            response
        }
        Fault::Cut => {
            let parts = [Ok(Bytes::from_static(b"{\"kind\"")), Err(std::io::Error::other("cut"))];
            Response::new(Body::from_stream(stream::iter(parts)))
        }
        Fault::Silence => futures::future::pending().await,
    }
}

fn nowhere() -> Refused {
    refused(404, "NotFound", "the server could not find the requested resource")
}

fn route(shared: &Arc<Shared>, asked: &Asked) -> Result<Response<Body>, Refused> {
    let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
    let together = shared.together && asked.accept.contains("as=APIGroupDiscoveryList");
    let stale = shared.lock().stale;
    match path.as_slice() {
        ["version"] => Ok(answer(
            200,
            &json!({
                "major": "1", "minor": "32", "gitVersion": "v1.32.0-fake", "platform": "linux/amd64",
                "gitCommit": "", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z",
                "goVersion": "none", "compiler": "none",
            }),
        )),
        ["healthz" | "livez" | "readyz"] => Ok(Response::new(Body::from("ok"))),
        ["openapi", "v3"] => Ok(answer(200, &json!({"paths": {}}))),
        [top @ ("api" | "apis")] if together => {
            let mut response = answer(200, &kinds::together(*top == "api", stale));
            let kind = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
            let kind = header::HeaderValue::from_static(kind);
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            Ok(response)
        }
        [top @ ("api" | "apis")] => Ok(answer(200, &kinds::tops(*top == "api"))),
        ["apis", group, ..] if stale == Some(*group) => {
            Err(refused(503, "ServiceUnavailable", "service unavailable"))
        }
        ["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"] => review(shared, asked),
        ["api", version] => found(kinds::version("", Some(version))),
        ["apis", group] => found(kinds::version(group, None)),
        ["apis", group, version] => found(kinds::version(group, Some(version))),
        ["api", version, ..] => objects(shared, asked, Aim::of("", version, &asked.path[2..])),
        ["apis", group, version, ..] => {
            objects(shared, asked, Aim::of(group, version, &asked.path[3..]))
        }
        _ => Err(nowhere()),
    }
}

fn found(list: Option<Value>) -> Result<Response<Body>, Refused> {
    list.map(|list| answer(200, &list)).ok_or_else(nowhere)
}

/// Whether whoever asks may do something.
fn review(shared: &Arc<Shared>, asked: &Asked) -> Result<Response<Body>, Refused> {
    let mut review = asked.json()?;
    let wanted = &review["spec"]["resourceAttributes"];
    let text = |name: &str| wanted[name].as_str().unwrap_or_default();
    let allowed = !shared.lock().denies(text("resource"), text("verb"));
    review["status"] = json!({"allowed": allowed});
    Ok(answer(201, &review))
}

fn objects(
    shared: &Arc<Shared>,
    asked: &Asked,
    aim: Option<Aim>,
) -> Result<Response<Body>, Refused> {
    let aim = aim.ok_or_else(nowhere)?;
    let watch = matches!(asked.says("watch"), Some("true" | "1"));
    let verb = match (asked.method.as_str(), aim.name.is_some()) {
        ("GET", _) if watch => "watch",
        ("GET", true) => "get",
        ("GET", false) => "list",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        _ => "delete",
    };
    let mut state = shared.lock();
    if state.denies(aim.known.plural, verb) {
        let name = aim.name.as_ref().map(|name| format!(" \"{name}\"")).unwrap_or_default();
        let message = format!(
            "{}{name} is forbidden: User \"fake\" cannot {verb} resource \"{}\" in API group \
             \"{}\"",
            aim.known.plural, aim.known.plural, aim.known.group
        );
        return Err(refused(403, "Forbidden", message));
    }
    let before = state.store.version;
    let answered = match (verb, aim.subresource.as_str()) {
        ("watch", "") => {
            drop(state);
            return watched(shared, asked, &aim);
        }
        (_, "scale") => scale(&mut state.store, asked, &aim, verb),
        (_, "" | "status") => plain(&mut state.store, asked, &aim, verb),
        _ => Err(nowhere()),
    };
    let after = state.store.version;
    drop(state);
    if after != before {
        shared.moved.send_replace(after);
    }
    answered
}

fn plain(
    store: &mut Store,
    asked: &Asked,
    aim: &Aim,
    verb: &str,
) -> Result<Response<Body>, Refused> {
    let (known, place) = (aim.known, aim.place());
    let by = asked.by(&aim.subresource);
    let namespace = aim.namespace.clone().unwrap_or_default();
    match verb {
        "list" => listed(store, asked, aim),
        "get" => store.get(&place).map(|it| answer(200, &it)).ok_or_else(|| missing(known, &place)),
        "create" => store.create(known, &namespace, asked.json()?, &by).map(|it| answer(201, &it)),
        "update" => store.replace(known, &place, asked.json()?, &by).map(|it| answer(200, &it)),
        "delete" => {
            let options: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
            let dry = by.dry || options["dryRun"][0] == "All";
            let gone =
                store.delete(known, &place, options["preconditions"]["uid"].as_str(), dry)?;
            let details = json!({"name": place.2, "group": known.group, "kind": place.0,
                                 "uid": gone["metadata"]["uid"]});
            Ok(answer(
                200,
                &json!({"kind": "Status", "apiVersion": "v1", "metadata": {},
                                   "status": "Success", "details": details}),
            ))
        }
        _ => {
            let patch = asked.json()?;
            let way = match asked.media_type.as_str() {
                "application/apply-patch+yaml" | "application/apply-patch+cbor" => {
                    if by.manager.is_empty() || asked.says("fieldManager").is_none() {
                        let message = "fieldManager: Required value: is required for apply patch";
                        return Err(refused(400, "BadRequest", message));
                    }
                    let (object, fresh) = store.apply(known, &place, patch, &by)?;
                    return Ok(answer(if fresh { 201 } else { 200 }, &object));
                }
                "application/json-patch+json" => Patch::Json,
                "application/merge-patch+json" => Patch::Merge,
                "application/strategic-merge-patch+json" => Patch::Strategic,
                other => {
                    let message =
                        format!("the body of the request was in an unknown format: {other}");
                    return Err(refused(415, "UnsupportedMediaType", message));
                }
            };
            store.patch(known, &place, (way, &patch), &by).map(|it| answer(200, &it))
        }
    }
}

/// The subresource `scale`: the number of replicas and nothing else.
fn scale(
    store: &mut Store,
    asked: &Asked,
    aim: &Aim,
    verb: &str,
) -> Result<Response<Body>, Refused> {
    let (known, place) = (aim.known, aim.place());
    let shown = |object: &Value| {
        let labels = object["spec"]["selector"]["matchLabels"].as_object();
        let pairs = labels.into_iter().flatten();
        let pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
            .collect();
        let metadata = &object["metadata"];
        json!({
            "kind": "Scale", "apiVersion": "autoscaling/v1",
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"],
                         "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]},
            "spec": {"replicas": object["spec"]["replicas"]},
            "status": {"replicas": object["spec"]["replicas"], "selector": pairs.join(",")},
        })
    };
    let object = store.get(&place).ok_or_else(|| missing(known, &place))?;
    if verb == "get" || !known.scales() {
        return Ok(answer(200, &shown(&object)));
    }
    let replicas = asked.json()?["spec"]["replicas"].clone();
    let patch = json!({"spec": {"replicas": replicas}});
    let object = store.patch(known, &place, (Patch::Merge, &patch), &asked.by("scale"))?;
    Ok(answer(200, &shown(&object)))
}

/// A list, or the next page of one begun before.
fn listed(store: &mut Store, asked: &Asked, aim: &Aim) -> Result<Response<Body>, Refused> {
    let fits = |object: &Value| {
        asked.says("labelSelector").is_none_or(|selector| labels_fit(selector, object))
            && asked.says("fieldSelector").is_none_or(|selector| fields_fit(selector, object))
    };
    let (version, mut items) = match asked.says("continue") {
        Some(token) => store.pages.get(token).cloned().ok_or_else(|| {
            let message = "The provided continue parameter is too old to display a consistent list \
                           result.";
            refused(410, "Expired", message)
        })?,
        None => {
            let mut all = store.all(aim.known.plural, aim.namespace.as_deref());
            all.retain(fits);
            (store.version, all)
        }
    };
    let limit = asked.says("limit").and_then(|limit| limit.parse().ok()).unwrap_or(0);
    let mut metadata = json!({"resourceVersion": version.to_string()});
    if limit > 0 && items.len() > limit {
        let rest = items.split_off(limit);
        let token = format!("page-{}", store.pages.len());
        metadata["continue"] = token.clone().into();
        metadata["remainingItemCount"] = rest.len().into();
        store.pages.insert(token, (version, rest));
    }
    // What the list says of all, its items leave out.
    for item in items.iter_mut().filter_map(Value::as_object_mut) {
        item.remove("apiVersion");
        item.remove("kind");
    }
    Ok(answer(
        200,
        &json!({
            "kind": format!("{}List", aim.known.kind), "apiVersion": aim.known.api_version(),
            "metadata": metadata, "items": items,
        }),
    ))
}

/// How far a watch has come.
struct Watch {
    shared: Arc<Shared>,
    moved: tokio::sync::watch::Receiver<u64>,
    plural: &'static str,
    head: Value,
    namespace: Option<String>,
    query: BTreeMap<String, String>,
    version: u64,
    end: tokio::time::Instant,
    over: bool,
}

fn line(event: &str, object: &Value) -> Bytes {
    Bytes::from(format!("{}\n", json!({"type": event, "object": object})))
}

fn watched(shared: &Arc<Shared>, asked: &Asked, aim: &Aim) -> Result<Response<Body>, Refused> {
    let seconds = asked.says("timeoutSeconds").and_then(|text| text.parse().ok()).unwrap_or(1800);
    let mut first = Vec::new();
    let state = shared.lock();
    let told = asked.says("resourceVersion").filter(|told| *told != "0");
    let version = match told {
        Some(told) => {
            told.parse().map_err(|_| refused(400, "BadRequest", "invalid resource version"))?
        }
        None => {
            let all = state.store.all(aim.known.plural, aim.namespace.as_deref());
            first.extend(all.iter().map(|object| line("ADDED", object)));
            state.store.version
        }
    };
    let oldest = state.store.oldest;
    drop(state);
    let mut watch = Watch {
        shared: Arc::clone(shared),
        moved: shared.moved.subscribe(),
        plural: aim.known.plural,
        head: json!({"kind": aim.known.kind, "apiVersion": aim.known.api_version()}),
        namespace: aim.namespace.clone(),
        query: asked.query.clone(),
        version,
        end: tokio::time::Instant::now() + Duration::from_secs(seconds),
        over: false,
    };
    if version < oldest {
        let message = format!("too old resource version: {version} ({oldest})");
        first.push(line(
            "ERROR",
            &json!({"kind": "Status", "apiVersion": "v1", "metadata": {},
            "status": "Failure", "message": message, "reason": "Expired", "code": 410}),
        ));
        watch.over = true;
    }
    let first = stream::iter(first.into_iter().map(Ok::<_, std::io::Error>));
    let rest = stream::unfold(watch, |mut watch| async move {
        let lines = watch.next().await?;
        Some((Ok(lines), watch))
    });
    let mut response = Response::new(Body::from_stream(futures::StreamExt::chain(first, rest)));
    let kind = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

impl Watch {
    /// The next lines, as soon as there are any; nothing when the time is over.
    async fn next(&mut self) -> Option<Bytes> {
        while !self.over {
            self.moved.borrow_and_update();
            let lines = self.since();
            if !lines.is_empty() {
                return Some(lines);
            }
            if tokio::time::timeout_at(self.end, self.moved.changed()).await.is_err() {
                self.over = true;
                if self.query.get("allowWatchBookmarks").is_some_and(|value| value == "true") {
                    return Some(self.bookmark());
                }
            }
        }
        None
    }

    fn bookmark(&self) -> Bytes {
        let mut object = self.head.clone();
        object["metadata"] = json!({"resourceVersion": self.version.to_string(),
                                    "creationTimestamp": null});
        line("BOOKMARK", &object)
    }

    fn since(&mut self) -> Bytes {
        let mut lines = Vec::new();
        let state = self.shared.lock();
        let fits = |object: &Value| {
            let says = |name: &str| self.query.get(name).filter(|value| !value.is_empty());
            says("labelSelector").is_none_or(|selector| labels_fit(selector, object))
                && says("fieldSelector").is_none_or(|selector| fields_fit(selector, object))
                && self.namespace.as_ref().is_none_or(|own| *own == object["metadata"]["namespace"])
        };
        let fresh = state.store.happened.iter().filter(|it| it.version > self.version);
        for it in fresh.filter(|it| it.plural == self.plural && fits(&it.object)) {
            lines.extend_from_slice(&line(it.event, &it.object));
        }
        self.version = self.version.max(state.store.version);
        drop(state);
        Bytes::from(lines)
    }
}
