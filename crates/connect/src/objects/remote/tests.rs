use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use tokio::net::TcpListener;

use super::*;
use crate::outbound::Rules;

const LIMITS: (Duration, usize) = (Duration::from_secs(5), 64 << 10);

fn way() -> Outbound {
    Outbound::new(Rules::default().allowing("127.0.0.0/8:*".parse().unwrap())).unwrap()
}

/// A fake of a store: it tells what it was asked by what is asked for.
#[derive(Debug, Clone, Default)]
struct Fake(Arc<Mutex<Vec<(String, String)>>>);

impl Fake {
    async fn start(&self) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        url
    }

    fn asked(&self) -> Vec<(String, String)> {
        self.0.lock().unwrap().clone()
    }
}

async fn answer(State(fake): State<Fake>, uri: Uri, headers: HeaderMap) -> Response {
    let login = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let path = uri.to_string();
    fake.0.lock().unwrap().push((path.clone(), login.unwrap_or_default()));
    if path.contains("gone") {
        StatusCode::NOT_FOUND.into_response()
    } else if path.contains("closed") {
        StatusCode::FORBIDDEN.into_response()
    } else if path.contains("elsewhere") {
        Redirect::temporary("/state").into_response()
    } else if path.contains("large") {
        vec![0_u8; 65 << 10].into_response()
    } else {
        // What a library needs to believe that it is an object.
        let about = [("last-modified", "Sun, 22 Nov 2026 10:00:00 GMT"), ("etag", "\"1\"")];
        (about, r#"{"version": 4}"#).into_response()
    }
}

#[test]
fn addresses_are_read_and_what_is_none_is_refused() {
    let s3 = Remote::parse("s3://states/shop/prod.tfstate?region=eu-west-1").unwrap();
    let read = Remote::S3 {
        bucket: "states".to_owned(),
        key: "shop/prod.tfstate".to_owned(),
        region: Some("eu-west-1".to_owned()),
        endpoint: None,
    };
    assert_eq!(s3, read);
    let azure = Remote::parse("az://account/container/a/b.tfstate").unwrap();
    assert!(matches!(azure, Remote::Azure { key, .. } if key == "a/b.tfstate"));
    for bad in [
        "s3://bucket",
        "s3://bucket/",
        "s3:///key",
        "s3://user:password@bucket/key",
        "s3://bucket/key?x=1",
        "s3://bucket/a b",
        "s3://bucket/key#x",
        "gs://bucket/key?region=x",
        "az://account/container",
        "file:///etc/passwd",
        "ftp://host/key",
        "/etc/passwd",
        "",
    ] {
        assert_eq!(Remote::parse(bad).unwrap_err(), BadRemote::Form, "{bad}");
    }
    for bad in [
        "https://user:password@host/state",
        "s3://bucket/key?endpoint=file:///etc",
        "s3://bucket/key?endpoint=https://u:p@host/",
    ] {
        assert!(matches!(Remote::parse(bad).unwrap_err(), BadRemote::Url(_)), "{bad}");
    }
}

#[tokio::test]
async fn every_store_is_read_with_its_own_login_and_says_what_is_wrong_once() {
    let fake = Fake::default();
    let endpoint = fake.start().await;
    let keys = r#"{"access_key_id": "AKIA", "secret_access_key": "canary"}"#;
    let account = "Y2FuYXJ5";
    let stores = [
        (format!("s3://bucket/KEY?endpoint={endpoint}"), keys, "AWS4-HMAC-SHA256 Credential=AKIA/"),
        (format!("az://account/container/KEY?endpoint={endpoint}"), account, "SharedKey account:"),
        (format!("{endpoint}/KEY"), "user:canary", "Basic dXNlcjpjYW5hcnk="),
        (format!("{endpoint}/KEY"), "canary", "Bearer canary"),
        (format!("gs://bucket/KEY?endpoint={endpoint}"), "", ""),
    ];
    for (url, login, sent) in stores {
        let login = (!login.is_empty()).then(|| Secret::from(login.to_owned()));
        let read = async |key: &str| {
            let remote = Remote::parse(&url.replace("KEY", key)).unwrap();
            remote.read(&way(), login.as_ref(), LIMITS).await
        };
        assert_eq!(read("state").await.unwrap(), br#"{"version": 4}"#, "{url}");
        let (asked, with) = fake.asked().pop().unwrap();
        assert!(with.starts_with(sent), "{url}: {asked} {with}");
        assert!(matches!(read("gone").await, Err(Unread::NotFound)), "{url}");
        assert!(matches!(read("closed").await, Err(Unread::Denied)), "{url}");
        assert!(matches!(read("elsewhere").await, Err(Unread::Answer)), "{url}");
        assert!(matches!(read("large").await, Err(Unread::TooLarge { .. })), "{url}");
        assert!(!fake.asked().iter().any(|(path, _)| path == "/state/state"));
    }
    // Where a redirection led nobody asked again: each object once, and once more none.
    let twice = fake.asked().iter().filter(|(path, _)| path.contains("elsewhere")).count();
    assert_eq!(twice, 5);
}

#[tokio::test]
async fn stores_inside_are_not_asked() {
    let fake = Fake::default();
    let endpoint = fake.start().await;
    let public = Outbound::new(Rules::default()).unwrap();
    for url in [
        format!("s3://bucket/state?endpoint={endpoint}"),
        format!("gs://bucket/state?endpoint={endpoint}"),
        format!("az://account/container/state?endpoint={endpoint}"),
        format!("{endpoint}/state"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
    ] {
        let error = Remote::parse(&url).unwrap().read(&public, None, LIMITS).await.unwrap_err();
        assert!(matches!(error, Unread::Call(outbound::Error::Unreachable)), "{url}: {error:?}");
    }
    assert_eq!(fake.asked(), Vec::new());
}

#[tokio::test]
async fn a_login_of_another_kind_is_refused_and_not_told() {
    for url in ["s3://bucket/key", "gs://bucket/key"] {
        let login = Secret::from("canary".to_owned());
        let read = Remote::parse(url).unwrap();
        let error = read.read(&way(), Some(&login), LIMITS).await.unwrap_err();
        assert!(matches!(error, Unread::Login(_)), "{url}: {error:?}");
        assert!(!format!("{error:?} {error}").contains("canary"));
    }
}

struct Moto(Child, String);

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn moto() -> Option<Moto> {
    let may = Command::new("python3").args(["-c", "import moto.server"]).output();
    if !may.is_ok_and(|may| may.status.success()) {
        assert!(std::env::var_os("CI").is_none(), "moto is missing");
        println!("not run: moto is missing");
        return None;
    }
    let mut server = Command::new("python3")
        .args(["-c", "from moto.server import main; main(['-H', '127.0.0.1', '-p', '0'])"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    let url = lines.find_map(|line| {
        let line = line.unwrap();
        line.split_once("Running on ").map(|(_, url)| url.trim().to_owned())
    });
    std::thread::spawn(move || lines.for_each(drop));
    Some(Moto(server, url.unwrap()))
}

#[tokio::test]
async fn a_state_is_read_from_an_s3_server() {
    let Some(moto) = tokio::task::spawn_blocking(moto).await.unwrap() else { return };
    let (endpoint, state) = (&moto.1, br#"{"version": 4, "serial": 7}"#);
    for (path, body) in [("states", Vec::new()), ("states/shop/prod.tfstate", state.to_vec())] {
        let url = format!("{endpoint}/{path}");
        let put = Call::new(outbound::Method::PUT, &url).with_body(body);
        assert_eq!(way().send(put).await.unwrap().status, 200, "{path}");
    }
    let keys = r#"{"access_key_id": "AKIA", "secret_access_key": "s", "session_token": "t"}"#;
    let keys = Secret::from(keys.to_owned());
    let read = async |key: &str| {
        let url = format!("s3://states/{key}?region=eu-west-1&endpoint={endpoint}");
        Remote::parse(&url).unwrap().read(&way(), Some(&keys), LIMITS).await
    };
    assert_eq!(read("shop/prod.tfstate").await.unwrap(), state);
    assert!(matches!(read("shop/test.tfstate").await, Err(Unread::NotFound)));
}
