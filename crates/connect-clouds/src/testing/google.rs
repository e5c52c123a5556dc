//! A fake of Google Cloud: tokens for signed assertions, and Cloud Asset Inventory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Book, Fault, answered, bears, decoded, form};

/// Who its service account is.
const EMAIL: &str = "reader@shop-prod.iam.gserviceaccount.com";
/// The number of its project, which names of assets have in places.
const NUMBER: &str = "projects/4711";

#[derive(Debug, Default)]
struct Held {
    /// By name: the type and the data.
    assets: BTreeMap<String, (String, Value)>,
    book: Book,
}

/// A fake of Google Cloud on a port of its own, with one project: `shop-prod`.
#[derive(Clone)]
pub struct FakeGoogle {
    endpoint: String,
    key: Arc<KeyPair>,
    held: Arc<Mutex<Held>>,
}

impl fmt::Debug for FakeGoogle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeGoogle").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl FakeGoogle {
    /// Starts one.
    ///
    /// # Panics
    /// When there is no port, or no key.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("its address"));
        let key = Arc::new(KeyPair::generate(KeySize::Rsa2048).expect("a key"));
        let fake = Self { endpoint, key, held: Arc::default() };
        let router = Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    /// Where it is.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A file of credentials for it.
    ///
    /// # Panics
    /// When the key cannot be written.
    #[must_use]
    pub fn credentials(&self) -> String {
        let der: Pkcs8V1Der<'_> = self.key.as_der().expect("the key");
        let text = STANDARD.encode(der.as_ref());
        let lines: Vec<&str> =
            (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
        let name = "PRIVATE KEY";
        let pem = format!("-----BEGIN {name}-----\n{}\n-----END {name}-----\n", lines.join("\n"));
        json!({
            "type": "service_account", "project_id": "shop-prod", "private_key_id": "k1",
            "private_key": pem, "client_email": EMAIL, "client_id": "1",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": format!("{}/token", self.endpoint),
        })
        .to_string()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is an asset: its full name, its type, and what its own API says of it.
    pub fn put(&self, name: &str, kind: &str, data: Value) {
        self.held().assets.insert(name.to_owned(), (kind.to_owned(), data));
    }

    /// Somebody changes one.
    ///
    /// # Panics
    /// When it is not there.
    pub fn change(&self, name: &str, with: impl FnOnce(&mut Value)) {
        with(&mut self.held().assets.get_mut(name).expect("it is there").1);
    }

    /// Somebody deletes one.
    pub fn delete(&self, name: &str) {
        self.held().assets.remove(name);
    }

    /// The next of these calls go wrong: `token`, `list`.
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

    /// Whether a text is signed by the account, and says who it is and to whom.
    fn vouches(&self, assertion: &str) -> bool {
        let Some((text, signature)) = assertion.rsplit_once('.') else { return false };
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
        let key = self.key.public_key().as_ref();
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
        let claims = text.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let claims = claims.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let claims = claims.unwrap_or_default();
        key.verify(text.as_bytes(), &signature).is_ok()
            && claims["iss"] == EMAIL
            && claims["aud"] == format!("{}/token", self.endpoint)
            && claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
            && claims["exp"].as_i64() == claims["iat"].as_i64().map(|at| at + 3_600)
    }
}

/// An error as Google's APIs write it.
fn refused(status: u16, code: &str) -> Response {
    answered(status, &json!({ "error": { "code": status, "message": "No.", "status": code } }))
}

async fn answer(
    State(fake): State<FakeGoogle>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let call = if uri.path() == "/token" { "token" } else { "list" };
    let fault = fake.held().book.note(call);
    match fault {
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
        let form = form(&body);
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let good = field("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer"
            && fake.vouches(field("assertion"));
        if !good {
            return answered(400, &json!({ "error": "invalid_grant" }));
        }
        let granted =
            json!({ "access_token": "ya29.fake", "expires_in": 3_599, "token_type": "Bearer" });
        return answered(200, &granted);
    }
    if !bears(&headers, "ya29.fake") {
        return refused(401, "UNAUTHENTICATED");
    }
    if uri.path() != "/v1/projects/shop-prod/assets" {
        return refused(403, "PERMISSION_DENIED");
    }
    list(&fake.held(), uri.query().unwrap_or_default())
}

/// A page of the assets of some types.
fn list(held: &Held, query: &str) -> Response {
    let fields: Vec<(&str, String)> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name, decoded(value)))
        .collect();
    let field =
        |name: &str| fields.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str());
    let kinds: Vec<&str> = fields
        .iter()
        .filter(|(name, _)| *name == "assetTypes")
        .map(|(_, value)| value.as_str())
        .collect();
    let size = field("pageSize").and_then(|size| size.parse::<usize>().ok()).unwrap_or(100);
    if field("contentType") != Some("RESOURCE") || !(1..=1_000).contains(&size) {
        return refused(400, "INVALID_ARGUMENT");
    }
    let from = field("pageToken")
        .map_or(Some(0), |token| token.strip_prefix("after=")?.parse::<usize>().ok());
    let Some(from) = from else { return refused(400, "INVALID_ARGUMENT") };
    let all: Vec<_> =
        held.assets.iter().filter(|(_, (kind, _))| kinds.contains(&kind.as_str())).collect();
    let page = all.iter().skip(from).take(size).map(|(name, (kind, data))| {
        let location = data["location"].as_str().unwrap_or("global");
        json!({
            "name": name, "assetType": kind, "updateTime": "2026-01-01T00:00:00Z",
            "ancestors": [NUMBER, "organizations/1"],
            "resource": { "version": "v1", "location": location, "data": data,
                "parent": "//cloudresourcemanager.googleapis.com/projects/4711" },
        })
    });
    let page: Vec<Value> = page.collect();
    let to = from + page.len();
    let mut answer = json!({ "readTime": "2026-01-01T00:00:00Z" });
    // What is empty Google leaves out.
    if !page.is_empty() {
        answer["assets"] = page.into();
    }
    if to < all.len() {
        answer["nextPageToken"] = format!("after={to}").into();
    }
    answered(200, &answer)
}
