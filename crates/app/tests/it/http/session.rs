//! Sessions, and requests that are sent twice.

use futures::future::join_all;
use model::actor::Role;
use reqwest::Method;
use serde_json::{Value, json};
use server::login::setup::{ADMIN, first_start};

use super::harness::{Caller, Reply, Site, text};

/// Logs in without being known before, or with an old session.
async fn log_in(site: &Site, old: Option<&Caller>, name: &str, password: &str) -> Reply {
    let mut request = site.http.post(format!("{}/api/v1/login", site.url));
    if let Some(old) = old {
        request = request.bearer_auth(&old.key);
    }
    let body = json!({"username": name, "password": password});
    Reply::of(request.json(&body).send().await.unwrap()).await
}

/// The same caller with another token.
fn with(caller: &Caller, reply: &Value) -> Caller {
    let mut caller = caller.clone();
    caller.key = text(reply, "token");
    caller
}

const PASSWORD: &str = "correct horse battery staple";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w1_a_session_is_new_after_login_and_every_change_and_the_old_one_is_dead() {
    let site = Site::start().await;
    let first = first_start(&site.test.db, |_| Ok(())).await.unwrap();
    let nobody = site.caller("nobody", &[]).await;
    let once = first.one_time_password.unwrap();
    let wrong = log_in(&site, None, ADMIN, "wrong password").await;
    let unknown = log_in(&site, None, "nobody-of-this-name", "wrong password").await;
    assert_eq!((wrong.status.as_u16(), unknown.status.as_u16()), (401, 401));
    assert_eq!(wrong.body["detail"], unknown.body["detail"]);

    let opened = log_in(&site, None, ADMIN, &once).await;
    let cookie = opened.headers["set-cookie"].to_str().unwrap().to_owned();
    for word in ["__Host-countersign=", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    let opened = opened.expect(200);
    assert_eq!(opened["must_change_password"], true);
    let one = with(&nobody, &opened);
    let refused = one.get("/users").await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "password_change_required"));

    // After a change of the password.
    let change = json!({"current_password": once, "new_password": PASSWORD});
    let second = one.post("/account/password", &change).await.expect(200);
    let two = with(&nobody, &second);
    assert_ne!(opened["session_id"], second["session_id"]);
    assert_ne!(one.key, two.key);
    assert_eq!(one.get("/account").await.status.as_u16(), 401, "the old session lives");
    two.get("/users").await.expect(200);
    assert_eq!(log_in(&site, None, ADMIN, &once).await.status.as_u16(), 401);

    // After a login on top of a session.
    let third = log_in(&site, Some(&two), ADMIN, PASSWORD).await.expect(200);
    let three = with(&nobody, &third);
    assert_ne!(second["session_id"], third["session_id"]);
    assert_eq!(two.get("/account").await.status.as_u16(), 401, "the old session lives");

    // After a change of roles.
    let made =
        three.post("/users", &json!({"username": "eve", "roles": ["viewer"]})).await.expect(201);
    let eve_once = text(&made, "one_time_password");
    let eve = with(&nobody, &log_in(&site, None, "eve", &eve_once).await.expect(200));
    let change = json!({"current_password": eve_once, "new_password": PASSWORD});
    let eve = with(&nobody, &eve.post("/account/password", &change).await.expect(200));
    let path = format!("/users/{}", text(&made["user"], "id"));
    three.send(Method::PATCH, &path, &json!({"roles": ["operator"]})).await.expect(200);
    assert_eq!(eve.get("/account").await.status.as_u16(), 401, "the old session lives");
    let eve = with(&nobody, &log_in(&site, None, "eve", PASSWORD).await.expect(200));
    assert_eq!(eve.get("/account").await.expect(200)["roles"], json!(["operator"]));
    three.send(Method::PATCH, &path, &json!({"is_active": false})).await.expect(200);
    assert_eq!(eve.get("/account").await.status.as_u16(), 401, "an inactive user's session lives");
    assert_eq!(log_in(&site, None, "eve", PASSWORD).await.status.as_u16(), 401);

    // After a logout.
    three.post("/logout", &Value::Null).await.expect(204);
    assert_eq!(three.get("/account").await.status.as_u16(), 401);
}

async fn keyed(caller: &Caller, key: &str, path: &str, body: &Value) -> Reply {
    let request = caller.request(Method::POST, path).header("idempotency-key", key);
    Reply::of(request.json(body).send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w10_the_same_key_replays_another_body_is_refused_and_a_running_one_conflicts() {
    let site = Site::start().await;
    let ada = site.caller("ada", &[Role::Admin]).await;
    let bob = site.caller("bob", &[Role::Admin]).await;
    let rule = |name: &str| json!({"name": name, "action": "ignore"});
    let first = keyed(&ada, "k-1", "/alert-rules", &rule("one")).await;
    assert!(first.headers.get("idempotency-replayed").is_none());
    let first = first.expect(201);
    let again = keyed(&ada, "k-1", "/alert-rules", &rule("one")).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.expect(201), first);
    let other = keyed(&ada, "k-1", "/alert-rules", &rule("two")).await;
    assert_eq!((other.status.as_u16(), other.code()), (422, "idempotency_mismatch"));
    let elsewhere = keyed(&ada, "k-1", "/environments", &rule("one")).await;
    assert_eq!(elsewhere.status.as_u16(), 422);
    // The key is the caller's own.
    keyed(&bob, "k-1", "/alert-rules", &rule("three")).await.expect(201);
    assert_eq!(site.count(ada.actor.tenant_id, "alert_rules").await, 2);

    // A refusal is an answer too.
    let taken = keyed(&ada, "k-2", "/alert-rules", &rule("one")).await;
    assert_eq!(taken.status.as_u16(), 409);
    let replayed = keyed(&ada, "k-2", "/alert-rules", &rule("one")).await;
    assert_eq!((replayed.status.as_u16(), replayed.code()), (409, taken.code()));

    // At the same time: one does it, the others hear that it runs, or its answer.
    let body = rule("at once");
    let all = join_all((0..10).map(|_| keyed(&ada, "k-3", "/alert-rules", &body))).await;
    let made = all.iter().filter(|reply| {
        reply.status.as_u16() == 201 && reply.headers.get("idempotency-replayed").is_none()
    });
    assert_eq!(made.count(), 1);
    for reply in &all {
        let running = reply.status.as_u16() == 409 && reply.code() == "idempotency_running";
        assert!(running || reply.status.as_u16() == 201, "{:#}", reply.body);
    }
    assert_eq!(site.count(ada.actor.tenant_id, "alert_rules").await, 3);

    // Surely at the same time: the key is taken and not answered yet.
    sqlx::query("UPDATE countersign.idempotency_keys SET status = NULL, response = NULL, content_type = NULL WHERE key = 'k-3'")
        .execute(site.test.admin())
        .await
        .unwrap();
    let running = keyed(&ada, "k-3", "/alert-rules", &body).await;
    assert_eq!((running.status.as_u16(), running.code()), (409, "idempotency_running"));

    // After a day the key is forgotten.
    sqlx::query(
        "UPDATE countersign.idempotency_keys SET created_at = created_at - interval '25 hours'",
    )
    .execute(site.test.admin())
    .await
    .unwrap();
    keyed(&ada, "k-1", "/alert-rules", &rule("the next day")).await.expect(201);
    for bad in ["", &"k".repeat(256)] {
        let reply = keyed(&ada, bad, "/alert-rules", &rule("never")).await;
        assert_eq!((reply.status.as_u16(), reply.path()), (400, "header.Idempotency-Key"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_shown_once_is_not_kept_for_replays() {
    let site = Site::start().await;
    let ada = site.caller("ada", &[Role::Admin]).await;
    let made = keyed(&ada, "k-1", "/api-keys", &json!({"name": "k", "roles": ["viewer"]})).await;
    let key = text(&made.expect(201), "key");
    let user = keyed(&ada, "k-2", "/users", &json!({"username": "eve", "roles": []})).await;
    let password = text(&user.expect(201), "one_time_password");
    let kept: Option<String> = sqlx::query_scalar(
        "SELECT string_agg(convert_from(response, 'UTF8'), ' ') FROM countersign.idempotency_keys",
    )
    .fetch_one(site.test.admin())
    .await
    .unwrap();
    let kept = kept.unwrap_or_default();
    assert!(!kept.contains(&key) && !kept.contains(&password), "a secret lies in the database");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_listed_and_ended_by_their_owner_and_by_an_administrator() {
    let site = Site::start().await;
    let first = first_start(&site.test.db, |_| Ok(())).await.unwrap();
    let nobody = site.caller("nobody", &[]).await;
    let once = first.one_time_password.unwrap();
    let admin = with(&nobody, &log_in(&site, None, ADMIN, &once).await.expect(200));
    let change = json!({"current_password": once, "new_password": PASSWORD});
    let admin = with(&nobody, &admin.post("/account/password", &change).await.expect(200));
    let eve = admin.post("/users", &json!({"username": "eve", "roles": ["viewer"]})).await;
    let eve = eve.expect(201);
    let once = text(&eve, "one_time_password");
    let opened = with(&nobody, &log_in(&site, None, "eve", &once).await.expect(200));
    let change = json!({"current_password": once, "new_password": PASSWORD});
    let desk = opened.post("/account/password", &change).await.expect(200);
    let desk = with(&nobody, &desk);
    let phone = log_in(&site, None, "eve", PASSWORD).await.expect(200);
    let (phone_id, phone) = (text(&phone, "session_id"), with(&nobody, &phone));

    let own = desk.get("/account/sessions").await.expect(200);
    assert_eq!(own.as_array().unwrap().len(), 2, "{own:#}");
    assert_eq!(own[0]["id"], phone_id.as_str());
    assert!(!own.to_string().contains("css_"), "a token is shown: {own:#}");
    let all = admin.get("/sessions?is_active=true").await.expect(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 3, "{all:#}");
    assert_eq!(desk.get("/sessions").await.status.as_u16(), 403);

    // Nobody ends another's session as if it were their own.
    let admins = admin.get("/account/sessions").await.expect(200);
    let admins = format!("/account/sessions/{}", text(&admins[0], "id"));
    assert_eq!(desk.send(Method::DELETE, &admins, &Value::Null).await.status.as_u16(), 404);
    let path = format!("/account/sessions/{phone_id}");
    for _ in 0..2 {
        let ended = desk.send(Method::DELETE, &path, &Value::Null).await;
        assert_eq!(ended.status.as_u16(), 204);
    }
    assert_eq!(phone.get("/account").await.status.as_u16(), 401);
    let left = text(&desk.get("/account/sessions").await.expect(200)[0], "id");
    let ended = admin.send(Method::DELETE, &format!("/sessions/{left}"), &Value::Null).await;
    assert_eq!(ended.status.as_u16(), 204);
    assert_eq!(desk.get("/account").await.status.as_u16(), 401);
}
