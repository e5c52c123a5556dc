//! Logging in through a real provider: the npm package `oidc-provider`, on a free port.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use model::actor::Role;
use reqwest::{Method, StatusCode, Url};
use serde_json::{Value, json};

use super::{Browser, callback, change, location, of_session, parameter, provider, register, with};
use crate::http::harness::Site;

/// A running provider. It ends with its standard input, which is ours.
struct Real {
    process: Child,
    issuer: String,
}

impl Drop for Real {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        drop(self.process.wait());
    }
}

impl Real {
    async fn start(settings: Value) -> Self {
        let script = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap())
            .join("../../scripts/oidc-provider");
        let start = move || {
            let mut process = Command::new(script)
                .env("OIDC_SETTINGS", settings.to_string())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let lines = BufReader::new(process.stdout.take().unwrap()).lines();
            let line = lines.map(Result::unwrap).find(|line| line.starts_with('{'));
            let line: Value = serde_json::from_str(&line.expect("an address")).unwrap();
            Self { process, issuer: line["issuer"].as_str().unwrap().to_owned() }
        };
        tokio::task::spawn_blocking(start).await.unwrap()
    }
}

/// Logs in at the provider's page `to` and agrees; gives where the browser is sent back.
async fn at_the_provider(browser: &mut Browser, to: &Url, login: &str) -> Url {
    let mut at = to.clone();
    for _ in 0..20 {
        let response = browser.get(at.as_str()).await;
        let next = if response.status().is_redirection() {
            location(&response.error_for_status().unwrap())
        } else {
            assert_eq!(response.status(), StatusCode::OK, "{at}");
            let page = response.text().await.unwrap();
            let form = if page.contains("value=\"login\"") {
                format!("prompt=login&login={login}&password=any")
            } else {
                "prompt=consent".to_owned()
            };
            let sent = browser.send(Method::POST, at.as_str(), Some(&form)).await;
            assert!(sent.status().is_redirection(), "{at}: {}", sent.status());
            location(&sent)
        };
        if next.path().ends_with("/callback") {
            return next;
        }
        at = next;
    }
    panic!("the provider leads nowhere: {at}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w3_people_get_in_through_a_real_provider_with_the_roles_of_their_groups() {
    let asked = ["CI", "COUNTERSIGN_INSTALLS"].iter().any(|name| std::env::var_os(name).is_some());
    if !asked {
        println!("not run: set COUNTERSIGN_INSTALLS=1 (it installs oidc-provider from npm)");
        return;
    }
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    for (name, id_token_only) in [("asked", false), ("told", true)] {
        let real = Real::start(json!({
            "idTokenOnly": id_token_only,
            "clients": [{
                "client_id": "countersign", "client_secret": "s3cret: of + it",
                "redirect_uris": [callback(&site, name)],
            }],
            "accounts": {
                "eve": {"groups": ["sre", "staff"], "name": "Eve", "preferred_username": "eve",
                        "email": format!("eve@{name}.example.com"), "email_verified": true},
                "mallory": {"groups": ["guests"], "preferred_username": "mallory"},
            },
        }))
        .await;
        let known = register(&admin, &provider(&site, name, &real.issuer), "s3cret: of + it").await;
        let mut browser = Browser::new();
        let to = browser.start(&site, name).await;
        let back = at_the_provider(&mut browser, &to, "eve").await;
        assert_eq!(parameter(&back, "iss"), real.issuer);
        // Without its state, with another's, and then as it is; twice it counts for nothing.
        let mut other = Browser::new();
        let foreign = parameter(&other.start(&site, name).await, "state");
        for state in [None, Some(foreign.as_str())] {
            let refused = browser.back(&with(&back, &[("state", state)])).await;
            assert_eq!(refused.status.as_u16(), 401, "{state:?}");
        }
        let kept = browser.cookies.clone();
        let first = browser.back(&back).await.expect(200);
        let eve = of_session(&admin, &first);
        let account = eve.get("/account").await.expect(200);
        assert_eq!(account["roles"], json!(["viewer", "operator", "approver"]), "{name}");
        assert_eq!(account["display_name"], "Eve");
        let fresh = std::mem::replace(&mut browser.cookies, kept);
        assert_eq!(browser.back(&back).await.status.as_u16(), 401, "it counted twice");
        browser.cookies = fresh;
        // The used code in another login of the same browser.
        let to = browser.start(&site, name).await;
        let again = at_the_provider(&mut browser, &to, "eve").await;
        let code = parameter(&back, "code");
        let replayed = browser.back(&with(&again, &[("code", Some(&code))])).await;
        assert_eq!((replayed.status.as_u16(), replayed.code()), (401, "login_refused"));
        // A later login is the same user, in a session of its own.
        let to = browser.start(&site, name).await;
        let second = at_the_provider(&mut browser, &to, "eve").await;
        let second = browser.back(&second).await.expect(200);
        assert_eq!(first["user_id"], second["user_id"]);
        assert_ne!(first["session_id"], second["session_id"]);
        // Whoever is in no group that counts stays out.
        let mut stranger = Browser::new();
        let to = stranger.start(&site, name).await;
        let back = at_the_provider(&mut stranger, &to, "mallory").await;
        let refused = stranger.back(&back).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (403, "no_role"));
        // PKCE is not ours to leave out: the provider refuses a login without it.
        let bare = with(&to, &[("code_challenge", None), ("code_challenge_method", None)]);
        let refused = Browser::new().get(bare.as_str()).await;
        assert_eq!(parameter(&location(&refused), "error"), "invalid_request");
        // Another client's token is not ours.
        change(&admin, &known, &json!({"client_id": "another"})).await;
        let to = browser.start(&site, name).await;
        assert!(browser.get(to.as_str()).await.status().is_client_error());
    }
}
