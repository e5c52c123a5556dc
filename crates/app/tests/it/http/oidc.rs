//! Logging in through identity providers: a real one, and a fake one that lies.

mod fake;
mod real;

use std::collections::BTreeMap;

use model::actor::Role;
use reqwest::redirect::Policy;
use reqwest::{Method, StatusCode, Url, header};
use serde_json::{Value, json};

use super::harness::{Caller, Reply, Site, text};
use fake::{Fake, Lie};

/// A browser: it keeps cookies by host and port, and follows nothing by itself.
struct Browser {
    http: reqwest::Client,
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

impl Browser {
    fn new() -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self { http, cookies: BTreeMap::new() }
    }

    async fn send(&mut self, method: Method, url: &str, form: Option<&str>) -> reqwest::Response {
        let host = Url::parse(url).unwrap().authority().to_owned();
        let jar = self.cookies.entry(host).or_default();
        let sent: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = self.http.request(method, url);
        if !sent.is_empty() {
            request = request.header(header::COOKIE, sent.join("; "));
        }
        if let Some(form) = form {
            request = request
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.to_owned());
        }
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if value.is_empty() {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        response
    }

    async fn get(&mut self, url: &str) -> reqwest::Response {
        self.send(Method::GET, url, None).await
    }

    /// Goes to the provider: its address with everything the login is bound to.
    async fn start(&mut self, site: &Site, name: &str) -> Url {
        let slug = slug(site).await;
        let url = format!("{}/api/v1/auth/oidc/{name}/start?tenant={slug}", site.url);
        let response = self.get(&url).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{}", response.text().await.unwrap());
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
        for word in ["__Host-countersign-login=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(word), "{cookie}");
        }
        location(&response)
    }

    /// Comes back.
    async fn back(&mut self, url: &Url) -> Reply {
        Reply::of(self.get(url.as_str()).await).await
    }
}

fn location(response: &reqwest::Response) -> Url {
    response.url().join(response.headers()[header::LOCATION].to_str().unwrap()).unwrap()
}

fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.unwrap_or_else(|| panic!("{url} has no {name}")).1.into_owned()
}

/// The address with other parameters; `None` takes one away.
fn with(url: &Url, changes: &[(&str, Option<&str>)]) -> Url {
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(key, _)| !changes.iter().any(|(name, _)| key == name))
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    let mut url = url.clone();
    url.query_pairs_mut()
        .clear()
        .extend_pairs(kept)
        .extend_pairs(changes.iter().filter_map(|(name, value)| Some((name, (*value)?))));
    url
}

async fn slug(site: &Site) -> String {
    sqlx::query_scalar("SELECT slug FROM countersign.tenants WHERE id = $1")
        .bind(site.tenant().uuid())
        .fetch_one(site.test.admin())
        .await
        .unwrap()
}

fn callback(site: &Site, name: &str) -> String {
    format!("{}/api/v1/auth/oidc/{name}/callback", site.url)
}

fn provider(site: &Site, name: &str, issuer: &str) -> Value {
    json!({
        "name": name, "display_name": name, "issuer": issuer, "client_id": "countersign",
        "redirect_uri": callback(site, name), "scopes": ["openid", "email", "profile"],
        "group_claim": "groups", "unknown_users": "create", "is_active": true,
        "role_mapping": {"sre": ["operator", "approver"], "staff": ["viewer"]},
    })
}

/// Makes a provider known, with the client's secret.
async fn register(admin: &Caller, provider: &Value, secret: &str) -> Value {
    let name = format!("client of {}", text(provider, "name"));
    let secret = json!({"name": name, "kind": "oidc", "secret": secret});
    let credential = admin.post("/credentials", &secret).await.expect(201);
    let mut provider = provider.clone();
    provider["credential_id"] = credential["id"].clone();
    admin.post("/oidc-providers", &provider).await.expect(201)
}

/// Replaces parts of a provider.
async fn change(admin: &Caller, provider: &Value, changes: &Value) {
    let path = format!("/oidc-providers/{}", text(provider, "id"));
    let now = admin.get(&path).await;
    let tag = now.headers["etag"].to_str().unwrap().to_owned();
    let mut body = now.body;
    for gone in ["id", "created_at", "updated_at"] {
        body.as_object_mut().unwrap().remove(gone);
    }
    for (field, value) in changes.as_object().unwrap() {
        body[field] = value.clone();
    }
    let request = admin.request(Method::PUT, &path).header("if-match", tag).json(&body);
    Reply::of(request.send().await.unwrap()).await.expect(200);
}

/// The same caller with a session that was opened.
fn of_session(caller: &Caller, opened: &Value) -> Caller {
    let mut caller = caller.clone();
    caller.key = text(opened, "token");
    caller
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w3_whatever_a_lying_provider_says_opens_no_session() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let fake = Fake::start().await;
    register(&admin, &provider(&site, "fake", &fake.issuer()), fake::SECRET).await;
    let mut browser = Browser::new();
    let to = browser.start(&site, "fake").await;
    assert_eq!(parameter(&to, "code_challenge_method"), "S256");
    assert_eq!(parameter(&to, "response_type"), "code");
    let there = fake.log_in(&to, "eve", &["staff"]);
    let opened = browser.back(&there).await;
    let cookies = opened.headers.get_all("set-cookie");
    assert!(cookies.iter().any(|one| one.to_str().unwrap().starts_with("__Host-countersign=css_")));
    let eve = of_session(&admin, &opened.expect(200));
    assert_eq!(eve.get("/account").await.expect(200)["roles"], json!(["viewer"]));
    let sessions = site.count(site.tenant(), "user_sessions").await;
    for lie in Lie::ALL {
        let to = browser.start(&site, "fake").await;
        let there = fake.log_in(&to, "eve", &["staff"]);
        fake.tell(Some(*lie));
        let refused = browser.back(&there).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (401, "login_refused"), "{lie:?}");
        fake.tell(None);
    }
    assert_eq!(site.count(site.tenant(), "user_sessions").await, sessions);
    // What was wrong is on record, and only there.
    site.verified(site.tenant()).await;
    let failed = admin.get("/audit/events?action=login.failed&limit=100").await.expect(200);
    assert_eq!(failed["items"].as_array().unwrap().len(), Lie::ALL.len());
    // The last one was refused for its lie alone.
    let to = browser.start(&site, "fake").await;
    browser.back(&fake.log_in(&to, "eve", &["staff"])).await.expect(200);
    // W9: the provider's token opens nothing here.
    let mut bearer = eve.clone();
    bearer.key = fake.last_id_token();
    assert_eq!(bearer.get("/account").await.status.as_u16(), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w3_an_answer_counts_once_for_the_browser_that_asked_and_with_its_state() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let fake = Fake::start().await;
    register(&admin, &provider(&site, "fake", &fake.issuer()), fake::SECRET).await;
    let (mut one, mut two) = (Browser::new(), Browser::new());
    let refused = |reply: &Reply| (reply.status.as_u16(), reply.code().to_owned());
    let never = (401, "login_refused".to_owned());

    // No state, another browser's, a made-up one, and one that is too old.
    let there = fake.log_in(&one.start(&site, "fake").await, "eve", &["staff"]);
    let foreign = fake.log_in(&two.start(&site, "fake").await, "eve", &["staff"]);
    let tenant = site.tenant().uuid().simple().to_string();
    for state in [None, Some(""), Some("x"), Some(tenant.as_str())] {
        let reply = one.back(&with(&there, &[("state", state)])).await;
        assert_eq!(refused(&reply), never, "{state:?}");
    }
    let stolen = with(&there, &[("state", Some(&parameter(&foreign, "state")))]);
    assert_eq!(refused(&one.back(&stolen).await), never);
    assert_eq!(refused(&Browser::new().back(&there).await), never, "no cookie");
    // Nothing of that used the login up.
    one.back(&there).await.expect(200);
    // Coming back twice, with the cookie the browser had.
    let mut third = Browser::new();
    let again = fake.log_in(&third.start(&site, "fake").await, "eve", &["staff"]);
    let kept = third.cookies.clone();
    third.back(&again).await.expect(200);
    third.cookies = kept;
    assert_eq!(refused(&third.back(&again).await), never);
    // The code of a login that was used, in another login: the verifier is another.
    let there = fake.log_in(&third.start(&site, "fake").await, "eve", &["staff"]);
    let code = parameter(&again, "code");
    assert_eq!(refused(&third.back(&with(&there, &[("code", Some(&code))])).await), never);
    // A fresh code of somebody else's login.
    let theirs = fake.log_in(&two.start(&site, "fake").await, "ann", &["sre"]);
    let mine = fake.log_in(&third.start(&site, "fake").await, "eve", &["staff"]);
    let code = parameter(&theirs, "code");
    assert_eq!(refused(&third.back(&with(&mine, &[("code", Some(&code))])).await), never);
    // Too late.
    let late = fake.log_in(&third.start(&site, "fake").await, "eve", &["staff"]);
    sqlx::query("UPDATE countersign.oidc_logins SET expires_at = clock_timestamp()")
        .execute(site.test.admin())
        .await
        .unwrap();
    assert_eq!(refused(&third.back(&late).await), never);
    // The provider says no.
    let denied = fake.log_in(&third.start(&site, "fake").await, "eve", &["staff"]);
    let denied = with(&denied, &[("code", None), ("error", Some("access_denied"))]);
    assert_eq!(refused(&third.back(&denied).await), never);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w3_two_providers_are_not_mixed_up() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let (good, evil) = (Fake::start().await, Fake::start().await);
    register(&admin, &provider(&site, "good", &good.issuer()), fake::SECRET).await;
    register(&admin, &provider(&site, "evil", &evil.issuer()), fake::SECRET).await;
    let mut browser = Browser::new();
    let never = (401, "login_refused");
    let expect_never = async |browser: &mut Browser, url: &Url| {
        let reply = browser.back(url).await;
        assert_eq!((reply.status.as_u16(), reply.code()), never, "{url}");
    };
    // Begun at one, back from it at the other's address: the code must not be sent there.
    let there = good.log_in(&browser.start(&site, "good").await, "ann", &["sre"]);
    let moved = there.as_str().replace("/oidc/good/", "/oidc/evil/");
    expect_never(&mut browser, &Url::parse(&moved).unwrap()).await;
    assert_eq!(evil.asked(), 0, "the other provider saw the code");
    // Begun at the evil one, which passes on the good one's answer.
    let begun = browser.start(&site, "evil").await;
    let mut other = Browser::new();
    let theirs = good.log_in(&other.start(&site, "good").await, "ann", &["sre"]);
    let state = parameter(&begun, "state");
    let code = parameter(&theirs, "code");
    let mixed = Url::parse(&callback(&site, "evil")).unwrap();
    let mixed = with(
        &mixed,
        &[("code", Some(&code)), ("state", Some(&state)), ("iss", Some(&good.issuer()))],
    );
    expect_never(&mut browser, &mixed).await;
    assert_eq!(evil.asked(), 0, "the other provider saw the code");
    // An answer that does not say whose it is, where the provider always does.
    let there = good.log_in(&browser.start(&site, "good").await, "ann", &["sre"]);
    expect_never(&mut browser, &with(&there, &[("iss", None)])).await;
    // The same subject at two providers is two users.
    let there = good.log_in(&browser.start(&site, "good").await, "ann", &["staff"]);
    let one = browser.back(&there).await.expect(200);
    let there = evil.log_in(&browser.start(&site, "evil").await, "ann", &["staff"]);
    let two = browser.back(&there).await.expect(200);
    assert_ne!(one["user_id"], two["user_id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w9_roles_are_those_of_todays_groups_and_whoever_lost_them_is_out() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let fake = Fake::start().await;
    let known = register(&admin, &provider(&site, "fake", &fake.issuer()), fake::SECRET).await;
    let mut desk = Browser::new();
    let mut phone = Browser::new();
    let log_in = async |browser: &mut Browser, groups: &[&str]| {
        let there = fake.log_in(&browser.start(&site, "fake").await, "eve", groups);
        browser.back(&there).await
    };
    let one = of_session(&admin, &log_in(&mut desk, &["sre"]).await.expect(200));
    one.get("/users").await.expect(403);
    assert_eq!(one.get("/account").await.expect(200)["roles"], json!(["operator", "approver"]));
    // Fewer groups: the session of before is dead.
    let opened = log_in(&mut phone, &["staff", "unheard-of"]).await.expect(200);
    let two = of_session(&admin, &opened);
    assert_eq!(one.get("/account").await.status.as_u16(), 401);
    assert_eq!(two.get("/account").await.expect(200)["roles"], json!(["viewer"]));
    // No group at all: nobody gets in, and nobody stays.
    let refused = log_in(&mut desk, &["unheard-of"]).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "no_role"));
    assert_eq!(two.get("/account").await.status.as_u16(), 401);
    // Another mapping counts from the next login on.
    change(&admin, &known, &json!({"role_mapping": {"staff": ["auditor"]}})).await;
    let three = of_session(&admin, &log_in(&mut desk, &["staff"]).await.expect(200));
    assert_eq!(three.get("/account").await.expect(200)["roles"], json!(["auditor"]));
    // Switched off, whatever the provider says.
    let user = format!("/users/{}", text(&opened, "user_id"));
    admin.send(Method::PATCH, &user, &json!({"is_active": false})).await.expect(200);
    assert_eq!(three.get("/account").await.status.as_u16(), 401);
    let refused = log_in(&mut desk, &["staff"]).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "account_inactive"));
    // A provider that is switched off lets nobody in who is on the way.
    let there = fake.log_in(&desk.start(&site, "fake").await, "ann", &["staff"]);
    change(&admin, &known, &json!({"is_active": false})).await;
    assert_eq!(desk.back(&there).await.status.as_u16(), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_has_one_account_whatever_their_provider_calls_them() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let fake = Fake::start().await;
    let known = register(&admin, &provider(&site, "fake", &fake.issuer()), fake::SECRET).await;
    let local = json!({"username": "eve", "email": "Eve@example.com", "roles": ["viewer"]});
    let local = admin.post("/users", &local).await.expect(201);
    let mut browser = Browser::new();
    let mut log_in = async |subject: &str, email: &str, verified: bool| {
        let to = browser.start(&site, "fake").await;
        let claims =
            json!({"email": email, "email_verified": verified, "preferred_username": "eve"});
        let there = fake.log_in_as(&to, subject, &["staff"], &claims);
        browser.back(&there).await
    };
    let refused = log_in("s-1", "eve@example.com", true).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "address_taken"));
    // An address that is only claimed leads to no account, neither to that nor to a second one.
    let refused = log_in("s-2", "eve@example.com", false).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "address_taken"));
    // A name that is taken is varied.
    let other = log_in("s-2", "another@example.com", false).await.expect(200);
    assert_ne!(other["user_id"], local["user"]["id"]);
    change(&admin, &known, &json!({"unknown_users": "link"})).await;
    let refused = log_in("s-4", "eve@example.com", false).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "address_taken"));
    let linked = log_in("s-1", "eve@example.com", true).await.expect(200);
    assert_eq!(linked["user_id"], local["user"]["id"]);
    change(&admin, &known, &json!({"unknown_users": "refuse"})).await;
    let refused = log_in("s-3", "new@example.com", true).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "user_unknown"));
    assert_eq!(
        log_in("s-1", "other@example.com", true).await.expect(200)["user_id"],
        linked["user_id"]
    );
    // Somebody may be known by one subject of a provider only.
    let users = admin.get("/users").await.expect(200);
    assert_eq!(users["items"].as_array().unwrap().len(), 2, "{users:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_is_checked_when_it_is_made_known_and_its_secret_is_of_its_own_kind() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let fake = Fake::start().await;
    let good = provider(&site, "fake", &fake.issuer());
    for (field, value, path) in [
        ("issuer", json!("http://login.example.com"), "/issuer"),
        ("issuer", json!("https://a:b@login.example.com"), "/issuer"),
        ("redirect_uri", json!("https://evil.example.com/"), "/redirect_uri"),
        ("redirect_uri", json!(callback(&site, "other")), "/redirect_uri"),
        ("scopes", json!(["email"]), "/scopes"),
        ("role_mapping", json!({"a/b": ["root"]}), "/role_mapping/a~1b/0"),
        ("name", json!("Fake"), "/redirect_uri"),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let refused = admin.post("/oidc-providers", &bad).await;
        assert_eq!((refused.status.as_u16(), refused.path()), (400, path), "{:#}", refused.body);
    }
    // A password of the estate's is not sent to a provider.
    let password = json!({"name": "root", "kind": "password", "secret": "hunter2"});
    let password = admin.post("/credentials", &password).await.expect(201);
    let mut wrong = good.clone();
    wrong["credential_id"] = password["id"].clone();
    admin.post("/oidc-providers", &wrong).await.expect(201);
    let mut browser = Browser::new();
    let there = fake.log_in(&browser.start(&site, "fake").await, "eve", &["staff"]);
    assert_eq!(browser.back(&there).await.status.as_u16(), 401);
    assert_eq!(fake.asked(), 0, "the password was sent");
    let ways = site.http.get(format!("{}/api/v1/auth/oidc?tenant={}", site.url, slug(&site).await));
    let ways = Reply::of(ways.send().await.unwrap()).await.expect(200);
    assert_eq!(ways[0]["start"], "/api/v1/auth/oidc/fake/start");
    // One whose description is somebody else's is not gone to.
    let mut other = provider(&site, "other", &format!("{}/", fake.issuer()));
    other["client_id"] = json!("x");
    admin.post("/oidc-providers", &other).await.expect(201);
    let url = format!("{}/api/v1/auth/oidc/other/start?tenant={}", site.url, slug(&site).await);
    assert_eq!(browser.get(&url).await.status().as_u16(), 503);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n1_an_issuer_that_is_inside_is_not_gone_to_and_nobody_learns_what_is_there() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    // Something listens there; the tests' own processes may call 127/8 alone.
    let inside = tokio::net::TcpListener::bind("[::1]:0").await.ok();
    let port = inside.as_ref().map_or(443, |inside| inside.local_addr().unwrap().port());
    let hosts = [
        "nowhere.invalid",
        "169.254.169.254",
        "2852039166",
        "0xa9.254.169.254",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[fd00:ec2::254]",
        "10.0.0.1",
        "100.64.0.1",
        "192.168.0.1",
        "0.0.0.0",
        "[::]",
        "[::1]",
    ];
    let mut said = Vec::new();
    for (number, host) in hosts.into_iter().enumerate() {
        let name = format!("inside-{number}");
        let known = provider(&site, &name, &format!("https://{host}:{port}"));
        let made = admin.post("/oidc-providers", &known).await;
        // An address written in another way than its own is no issuer at all.
        if made.status.as_u16() == 400 {
            assert_eq!(made.path(), "/issuer", "{host}: {:#}", made.body);
            continue;
        }
        assert_eq!(made.status.as_u16(), 201, "{host}: {:#}", made.body);
        let path = format!("{}/api/v1/auth/oidc/{name}/start", site.url);
        let start = site.http.get(format!("{path}?tenant={}", slug(&site).await));
        let mut refused = Reply::of(start.send().await.unwrap()).await;
        assert_eq!(refused.status.as_u16(), 503, "{host}: {:#}", refused.body);
        refused.body.as_object_mut().unwrap().remove("request_id");
        said.push(refused.body.to_string().replace(&name, "NAME"));
    }
    assert!(said.len() > 6, "only {} were taken", said.len());
    said.dedup();
    assert_eq!(said.len(), 1, "{said:#?}");
    if let Some(inside) = inside {
        let mut accepted = Box::pin(inside.accept());
        assert!(futures::poll!(&mut accepted).is_pending(), "somebody came");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a4_nobody_has_two_accounts_by_two_registrations_of_where_they_come_from() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let fake = Fake::start().await;
    register(&admin, &provider(&site, "fake", &fake.issuer()), fake::SECRET).await;
    let again = provider(&site, "again", &fake.issuer());
    let refused = admin.post("/oidc-providers", &again).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "already_there"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w8_what_people_wrote_is_data_and_the_one_page_there_is_is_inert() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    for script in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "javascript:alert(1)",
        "<svg/onload=alert(1)>",
        "{{constructor.constructor('alert(1)')()}}",
        "![x](https://evil.example.com/pixel)",
    ] {
        let rule = json!({"name": script, "action": "ignore"});
        let made = admin.post("/alert-rules", &rule).await;
        assert_eq!(made.status.as_u16(), 201, "{:#}", made.body);
        let shown = admin.get("/alert-rules").await;
        assert_eq!(shown.headers["content-type"], "application/json");
        assert_eq!(shown.headers["x-content-type-options"], "nosniff");
        assert!(shown.body.as_array().unwrap().iter().any(|one| one["name"] == script));
        let path = format!("/alert-rules/{}", urlencoded(script));
        let refused = admin.send(Method::DELETE, &path, &Value::Null).await;
        assert_eq!(refused.headers["content-type"], "application/problem+json");
        assert_eq!(refused.headers["x-content-type-options"], "nosniff");
    }
    let fake = Fake::start().await;
    register(&admin, &provider(&site, "fake", &fake.issuer()), fake::SECRET).await;
    let mut browser = Browser::new();
    let to = browser.start(&site, "fake").await;
    let name = json!({"name": "<script>alert(1)</script>", "preferred_username": "<b>"});
    let there = fake.log_in_as(&to, "<script>", &["staff"], &name);
    let cookies = browser.cookies[Url::parse(&site.url).unwrap().authority()].clone();
    let cookies: Vec<String> =
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let page = browser.http.get(there).header(header::ACCEPT, "text/html,*/*;q=0.8");
    let page = page.header(header::COOKIE, cookies.join("; ")).send().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'");
    assert_eq!(page.headers()["cache-control"], "no-store");
    let page = page.text().await.unwrap();
    assert!(!page.contains("script") && !page.contains("css_") && !page.contains("<b>"), "{page}");
}

fn urlencoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
