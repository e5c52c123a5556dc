//! People, keys and authority: second factors, scopes, invitations, breaking the glass.

use aws_lc_rs::hmac;
use model::Clock as _;
use model::actor::{Actor, ActorKind, Role};
use model::id::UserId;
use reqwest::{Method, header};
use serde_json::{Value, json};
use server::login::password;

use super::harness::{Caller, Reply, Site, SystemClock, text};
use super::stage::{Stage, alert};

const PASSWORD: &str = "correct horse battery staple";

/// A person with a login and an open session.
pub(super) struct Person {
    pub(super) caller: Caller,
    pub(super) user: UserId,
}

pub(super) async fn person(site: &Site, name: &str, roles: &[Role]) -> Person {
    let actor = site.test.another_actor(site.tenant(), name, roles).await;
    person_of(site, actor, name).await
}

/// Makes a user of an actor, and logs it in.
async fn person_of(site: &Site, actor: Actor, name: &str) -> Person {
    let user = UserId::generate();
    let hash = password::hash(PASSWORD.to_owned()).await.unwrap();
    sqlx::query(
        "INSERT INTO countersign.users
           (tenant_id, id, actor_id, username, email, full_name, password_hash)
         VALUES ($1, $2, $3, $4, $5, $4, $6)",
    )
    .bind(site.tenant().uuid())
    .bind(user.uuid())
    .bind(actor.id.uuid())
    .bind(name)
    .bind(format!("{name}@example.com"))
    .bind(hash)
    .execute(site.test.admin())
    .await
    .unwrap();
    let mut caller = site.key_of(actor).await;
    caller.key = text(&log_in(site, name, PASSWORD).await.expect(200), "token");
    Person { caller, user }
}

async fn slug(site: &Site) -> String {
    sqlx::query_scalar("SELECT slug FROM countersign.tenants WHERE id = $1")
        .bind(site.tenant().uuid())
        .fetch_one(site.test.admin())
        .await
        .unwrap()
}

async fn log_in(site: &Site, name: &str, password: &str) -> Reply {
    let body = json!({"tenant": slug(site).await, "username": name, "password": password});
    let request = site.http.post(format!("{}/api/v1/login", site.url)).json(&body);
    Reply::of(request.send().await.unwrap()).await
}

async fn anybody(site: &Site, path: &str, body: &Value) -> Reply {
    let request = site.http.post(format!("{}/api/v1{path}", site.url)).json(body);
    Reply::of(request.send().await.unwrap()).await
}

pub(super) fn refused(reply: &Reply) -> (u16, &str) {
    (reply.status.as_u16(), reply.code())
}

/// What a generator shows now for a secret in base 32.
fn shown(secret: &str) -> String {
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in secret.bytes() {
        let value = if letter.is_ascii_uppercase() { letter - b'A' } else { letter - b'2' + 26 };
        held = (held << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).unwrap());
        }
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes);
    let tag = hmac::sign(&key, &(SystemClock.now().as_second() / 30).to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// Lets the present code count once more: half a minute is too long to wait for another.
async fn next_code(site: &Site) {
    sqlx::query("UPDATE countersign.second_factors SET last_step = 0")
        .execute(site.test.admin())
        .await
        .unwrap();
}

/// Sets up a second factor; gives its secret, the recovery codes, and the code it was confirmed
/// with. The session is a new one.
async fn enrol(person: &mut Person) -> (String, Vec<String>, String) {
    let caller = &mut person.caller;
    let wrong = json!({"current_password": "wrong"});
    assert_eq!(caller.post("/account/second-factor", &wrong).await.status.as_u16(), 400);
    let body = json!({"current_password": PASSWORD});
    let made = caller.post("/account/second-factor", &body).await.expect(201);
    let secret = text(&made, "secret");
    assert!(text(&made, "uri").starts_with("otpauth://totp/Countersign:"));
    let code = shown(&secret);
    let confirm = json!({ "code": code });
    let done = caller.post("/account/second-factor/confirm", &confirm).await.expect(200);
    let old = std::mem::replace(&mut caller.key, text(&done["session"], "token"));
    let mut before = caller.clone();
    before.key = old;
    assert_eq!(before.get("/account").await.status.as_u16(), 401, "the old session lives");
    let codes = serde_json::from_value(done["recovery_codes"].clone()).unwrap();
    (secret, codes, code)
}

/// Asks for a change that waits for an approval, as if it were of this tier and needed so many.
async fn waiting(site: &Site, stage: &Stage, number: usize, tier: &str, votes: i32) -> Value {
    // Another note is another plan: what is bound to one is not bound to the next.
    let finding = stage.fire(alert("Broken", "web-1", number, &number.to_string())).await;
    let asked = stage.asked(site, &finding).await;
    sqlx::query("UPDATE countersign.approvals SET tier = $2, min_votes = $3 WHERE id = $1")
        .bind(text(&asked, "approval_id").parse::<model::id::ApprovalId>().unwrap().uuid())
        .bind(tier)
        .bind(votes)
        .execute(site.test.admin())
        .await
        .unwrap();
    let path = format!("/approvals/{}", text(&asked, "approval_id"));
    let approval = stage.admin.get(&path).await.expect(200);
    assert_eq!(approval["tier"], tier);
    approval
}

async fn approve(caller: &Caller, approval: &Value) -> Reply {
    caller.post(&format!("/approvals/{}/approve", text(approval, "id")), &json!({})).await
}

/// Shows the second factor for an approval; goes on in the new session.
async fn step_up(person: &mut Person, code: &str, bound_hash: &str) -> Reply {
    let body = json!({"code": code, "bound_hash": bound_hash});
    let reply = person.caller.post("/account/step-up", &body).await;
    if reply.status.as_u16() == 200 {
        person.caller.key = text(&reply.body["session"], "token");
    }
    reply
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w7_critical_is_approved_with_a_second_factor_shown_just_now_for_exactly_that() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    site.runbook(&stage.admin, super::stage::REPAIR).await;
    let mut ann = person(&site, "ann-s", &[Role::Approver]).await;
    let (secret, codes, _) = enrol(&mut ann).await;
    assert_eq!(codes.len(), 10);
    let one = waiting(&site, &stage, 1, "critical", 1).await;
    let two = waiting(&site, &stage, 2, "critical", 1).await;

    // Nothing shown, and with a key nothing can be.
    let nothing = approve(&ann.caller, &one).await;
    assert_eq!(refused(&nothing), (401, "step_up_required"));
    assert!(nothing.body["detail"].as_str().unwrap().contains(&text(&one, "bound_hash")));
    let by_key = site.key_of(ann.caller.actor.clone()).await;
    assert_eq!(refused(&approve(&by_key, &one).await), (403, "session_required"));
    // What was shown for one is not good for another, nor in another session, nor twice.
    next_code(&site).await;
    let code = shown(&secret);
    let before = ann.caller.clone();
    step_up(&mut ann, &code, &text(&one, "bound_hash")).await.expect(200);
    assert_eq!(before.get("/account").await.status.as_u16(), 401, "W1: the old session lives");
    assert_eq!(refused(&approve(&ann.caller, &two).await), (401, "step_up_required"));
    let mut elsewhere = ann.caller.clone();
    elsewhere.key = text(&log_in(&site, "ann-s", PASSWORD).await.expect(200), "token");
    assert_eq!(refused(&approve(&elsewhere, &one).await), (401, "step_up_required"));
    assert_eq!(approve(&ann.caller, &one).await.expect(200)["result"], "approved");
    // The same code again, and a wrong one.
    let replayed = step_up(&mut ann, &code, &text(&two, "bound_hash")).await;
    assert_eq!(refused(&replayed), (401, "code_refused"));
    let wrong = step_up(&mut ann, "000000x", &text(&two, "bound_hash")).await;
    assert_eq!(refused(&wrong), (401, "code_refused"));
    // Too late.
    step_up(&mut ann, &codes[0], &text(&two, "bound_hash")).await.expect(200);
    sqlx::query("UPDATE countersign.step_ups SET expires_at = clock_timestamp()")
        .execute(site.test.admin())
        .await
        .unwrap();
    assert_eq!(refused(&approve(&ann.caller, &two).await), (401, "step_up_required"));
    // A recovery code counts once.
    let again = step_up(&mut ann, &codes[0], &text(&two, "bound_hash")).await;
    assert_eq!(refused(&again), (401, "code_refused"));
    step_up(&mut ann, &codes[1], &text(&two, "bound_hash")).await.expect(200);
    assert_eq!(approve(&ann.caller, &two).await.expect(200)["result"], "approved");
    let factor = ann.caller.get("/account/second-factor").await.expect(200);
    assert_eq!(
        (&factor["state"], &factor["recovery_codes_left"]),
        (&json!("confirmed"), &json!(8))
    );
    // Below the tier nothing is asked for.
    let small = waiting(&site, &stage, 3, "medium", 1).await;
    assert_eq!(approve(&ann.caller, &small).await.expect(200)["result"], "approved");
    site.verified(site.tenant()).await;
    let shown = stage.admin.get("/audit/events?action=second_factor.shown").await.expect(200);
    assert_eq!(shown["items"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w7_a_tenant_that_set_nothing_lets_nobody_without_a_second_factor_approve_what_is_critical()
{
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    site.runbook(&stage.admin, super::stage::REPAIR).await;
    let mut ann = person(&site, "ann-s", &[Role::Approver]).await;
    let policy = stage.admin.get("/step-up-policy").await.expect(200);
    assert_eq!(policy, json!({"asked": "required_for_critical", "tier": "high"}));
    let high = waiting(&site, &stage, 1, "high", 1).await;
    let critical = waiting(&site, &stage, 2, "critical", 1).await;
    let another = waiting(&site, &stage, 3, "critical", 1).await;
    // Below, people without a factor go on; here they are told to set one up.
    assert_eq!(approve(&ann.caller, &high).await.expect(200)["result"], "approved");
    let by_key = site.key_of(ann.caller.actor.clone()).await;
    for voter in [&ann.caller, &by_key] {
        let refusal = approve(voter, &critical).await;
        assert_eq!(refused(&refusal), (401, "factor_missing"));
        assert!(refusal.body["detail"].as_str().unwrap().contains("set one up first"));
    }
    // No service and no agent, whatever they hold.
    for kind in [ActorKind::Service, ActorKind::Agent] {
        let mut actor = ann.caller.actor.clone();
        actor.id = model::id::ActorId::generate();
        actor.kind = kind;
        sqlx::query(
            "INSERT INTO countersign.actors (tenant_id, id, type, display_name, roles)
             VALUES ($1, $2, $3, 'a program', '{approver,admin}')",
        )
        .bind(actor.tenant_id.uuid())
        .bind(actor.id.uuid())
        .bind(kind.word())
        .execute(site.test.admin())
        .await
        .unwrap();
        let program = site.key_of(actor).await;
        assert_eq!(refused(&approve(&program, &critical).await), (403, "not_a_person"));
    }
    // Whoever takes one approves with it.
    let (_, codes, _) = enrol(&mut ann).await;
    assert_eq!(refused(&approve(&ann.caller, &critical).await), (401, "step_up_required"));
    step_up(&mut ann, &codes[0], &text(&critical, "bound_hash")).await.expect(200);
    assert_eq!(approve(&ann.caller, &critical).await.expect(200)["result"], "approved");
    // Only what the tenant itself says lets anybody else go on, and that is on record.
    assert_eq!(refused(&approve(&stage.approver, &another).await), (401, "factor_missing"));
    let loose = json!({"asked": "enrolled", "tier": "high"});
    stage.admin.send(Method::PUT, "/step-up-policy", &loose).await.expect(200);
    assert_eq!(approve(&stage.approver, &another).await.expect(200)["result"], "approved");
    site.verified(site.tenant()).await;
    let told = stage.admin.get("/audit/events?action=step_up.configured").await.expect(200);
    assert_eq!(told["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w7_a_tenant_may_ask_a_second_factor_of_everybody() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    site.runbook(&stage.admin, super::stage::REPAIR).await;
    let ann = person(&site, "ann-s", &[Role::Approver]).await;
    let high = waiting(&site, &stage, 1, "high", 2).await;
    // Nobody took one, and below critical nobody asks.
    assert_eq!(approve(&stage.approver, &high).await.expect(200)["result"], "counted");
    let all = json!({"asked": "required", "tier": "medium"});
    stage.admin.send(Method::PUT, "/step-up-policy", &all).await.expect(200);
    assert_eq!(refused(&approve(&ann.caller, &high).await), (401, "factor_missing"));
    let medium = waiting(&site, &stage, 2, "medium", 1).await;
    assert_eq!(refused(&approve(&ann.caller, &medium).await), (401, "factor_missing"));
    let less = json!({"asked": "required", "tier": "low"});
    let less = stage.admin.send(Method::PUT, "/step-up-policy", &less).await;
    assert_eq!((less.status.as_u16(), less.path()), (400, "/tier"));
    let denied = format!("/approvals/{}/deny", text(&medium, "id"));
    assert_eq!(ann.caller.post(&denied, &json!({})).await.expect(200)["result"], "denied");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s4_a_second_factor_and_a_secret_told_once_open_after_their_key_was_replaced() {
    let site = Site::start().await;
    let mut ann = person(&site, "ann-r", &[Role::Admin]).await;
    let (secret, _, _) = enrol(&mut ann).await;
    let wrap = json!({"secret": "told later"});
    let told = ann.caller.post("/one-time-secrets", &wrap).await.expect(201);
    let rotate = json!({"kind": "tenant_key"});
    ann.caller.post("/key-rotations", &rotate).await.expect(201);
    site.until("the end of a rotation", async || {
        let rotations = ann.caller.get("/key-rotations").await.expect(200);
        (rotations[0]["state"] == "done").then_some(())
    })
    .await;
    let keys = ann.caller.get("/tenant-keys").await.expect(200);
    let of = |generation: u32| {
        let mut keys = keys.as_array().unwrap().iter().filter(|key| key["purpose"] == "request");
        keys.find(|key| key["generation"] == generation).unwrap()
    };
    assert_eq!(of(1)["kek_id"], "retired", "nothing is sealed under it any more: {keys:#}");
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT kek_id FROM countersign.second_factors
         UNION ALL SELECT kek_id FROM countersign.one_time_secrets",
    )
    .fetch_all(site.test.admin())
    .await
    .unwrap();
    assert_eq!(rows, [text(of(2), "id"), text(of(2), "id")]);
    next_code(&site).await;
    let code = json!({"code": shown(&secret)});
    ann.caller.post("/account/second-factor/remove", &code).await.expect(204);
    let token = json!({"token": told["token"]});
    let told = ann.caller.post("/one-time-secrets/unwrap", &token).await.expect(200);
    assert_eq!(told, json!({"secret": "told later"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_factor_is_removed_with_its_code_or_by_an_administrator_who_is_somebody_else() {
    let site = Site::start().await;
    let mut ada = person(&site, "ada-s", &[Role::Admin]).await;
    let mut ann = person(&site, "ann-s", &[Role::Approver]).await;
    let (_, codes, spent) = enrol(&mut ann).await;
    let again = json!({"current_password": PASSWORD});
    let again = ann.caller.post("/account/second-factor", &again).await;
    assert_eq!(refused(&again), (409, "factor_confirmed"));
    let remove = "/account/second-factor/remove";
    let spent = json!({ "code": spent });
    assert_eq!(refused(&ann.caller.post(remove, &spent).await), (401, "code_refused"));
    ann.caller.post(remove, &json!({"code": codes[0]})).await.expect(204);
    assert_eq!(ann.caller.get("/account/second-factor").await.expect(200)["state"], "none");
    next_code(&site).await;
    enrol(&mut ann).await;
    let path = format!("/users/{}/second-factor", ann.user);
    ada.caller.send(Method::DELETE, &path, &Value::Null).await.expect(204);
    assert_eq!(ann.caller.get("/account").await.status.as_u16(), 401, "the session lives");
    enrol(&mut ada).await;
    let own = format!("/users/{}/second-factor", ada.user);
    let own = ada.caller.send(Method::DELETE, &own, &Value::Null).await;
    assert_eq!(refused(&own), (403, "own_factor"));
    // Guessing is bounded, and costs nobody the factor.
    let mut last = 0;
    for _ in 0..7 {
        let guess = json!({"code": "000000"});
        last = ada.caller.post(remove, &guess).await.status.as_u16();
    }
    assert_eq!(last, 429);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w6_whoever_is_switched_off_or_deleted_is_out_everywhere_at_once() {
    let site = Site::start().await;
    let ada = person(&site, "ada-s", &[Role::Admin]).await;
    let mut erase = String::new();
    for (name, verb) in [("eve-off", "off"), ("eve-gone", "gone")] {
        let eve = person(&site, name, &[Role::Viewer]).await;
        erase = format!("/users/{}/erase", eve.user);
        let mut phone = eve.caller.clone();
        phone.key = text(&log_in(&site, name, PASSWORD).await.expect(200), "token");
        let key = json!({"name": "laptop", "scopes": ["findings.read"], "expires_at": "2099-01-01T00:00:00Z"});
        let made = eve.caller.post("/account/api-keys", &key).await.expect(201);
        let mut keyed = eve.caller.clone();
        keyed.key = text(&made, "key");
        keyed.get("/findings").await.expect(200);
        let mut stream = eve.caller.request(Method::GET, "/events").send().await.unwrap();
        assert_eq!(stream.status().as_u16(), 200);
        let path = format!("/users/{}", eve.user);
        match verb {
            "off" => {
                let off = json!({"is_active": false});
                ada.caller.send(Method::PATCH, &path, &off).await.expect(200);
            }
            _ => drop(ada.caller.send(Method::DELETE, &path, &Value::Null).await.expect(204)),
        }
        for dead in [&eve.caller, &phone, &keyed] {
            assert_eq!(dead.get("/account").await.status.as_u16(), 401, "{verb}");
        }
        assert_eq!(log_in(&site, name, PASSWORD).await.status.as_u16(), 401, "{verb}");
        // The stream ends by itself, without anything happening.
        while stream.chunk().await.unwrap().is_some() {}
    }
    let gone = ada.caller.get("/users").await.expect(200).to_string();
    assert!(gone.contains("eve-off") && !gone.contains("eve-gone"), "{gone}");
    // Nobody takes the name, and nobody is left without an administrator.
    let again = json!({"username": "eve-gone", "roles": []});
    assert_eq!(refused(&ada.caller.post("/users", &again).await), (409, "username_taken"));
    // Who was deleted can still be erased.
    ada.caller.post(&erase, &json!({"reason": "asked for it"})).await.expect(204);
    let own = format!("/users/{}", ada.user);
    let last = ada.caller.send(Method::DELETE, &own, &Value::Null).await;
    assert_eq!(refused(&last), (409, "last_admin"));
    let off = ada.caller.send(Method::PATCH, &own, &json!({"is_active": false})).await;
    assert_eq!(refused(&off), (409, "last_admin"));
    let fewer = ada.caller.send(Method::PATCH, &own, &json!({"roles": ["viewer"]})).await;
    assert_eq!(refused(&fewer), (409, "last_admin"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_may_what_its_scopes_and_its_holders_roles_of_today_both_say_until_it_ends() {
    let site = Site::start().await;
    let ada = person(&site, "ada-s", &[Role::Admin]).await;
    let admin = &ada.caller;
    let account = json!({"name": "pipeline", "type": "agent", "roles": ["operator"]});
    let account = admin.post("/service-accounts", &account).await.expect(201);
    let make = async |body: Value| admin.post("/api-keys", &body).await;
    let wanted = json!({
        "name": "reader", "actor_id": account["id"], "scopes": ["findings.read", "policy.write"],
        "tier": "pro",
    });
    let made = make(wanted.clone()).await.expect(201);
    assert_eq!(made["actor_id"], account["id"]);
    let mut key = admin.clone();
    key.key = text(&made, "key");
    assert_eq!(key.get("/account").await.expect(200)["type"], "agent");
    key.get("/findings").await.expect(200);
    assert_eq!(refused(&key.get("/plans/x").await), (403, "scope_missing"));
    let beyond = json!({"asked": "enrolled", "tier": "high"});
    let beyond = key.send(Method::PUT, "/step-up-policy", &beyond).await;
    assert_eq!(refused(&beyond), (403, "forbidden"), "the scope gives no role");
    // Never shown again, and found by its public part alone.
    let listed = admin.get("/api-keys").await.expect(200);
    assert!(!listed.to_string().contains(&key.key), "a key is shown");
    assert_eq!(
        (&listed["items"][0]["tier"], &listed["items"][0]["scopes"]),
        (&json!("pro"), &wanted["scopes"])
    );
    // The holder's roles of today; and switched off.
    let path = format!("/service-accounts/{}", text(&account, "id"));
    let none = admin.send(Method::PATCH, &path, &json!({"roles": []})).await.expect(200);
    assert_eq!(none["keys"], 1);
    assert_eq!(refused(&key.get("/findings").await), (403, "forbidden"));
    admin.send(Method::PATCH, &path, &json!({"is_active": false})).await.expect(200);
    assert_eq!(key.get("/account").await.status.as_u16(), 401);
    admin
        .send(Method::PATCH, &path, &json!({"is_active": true, "roles": ["viewer"]}))
        .await
        .expect(200);
    key.get("/findings").await.expect(200);
    // Over.
    sqlx::query(
        "UPDATE countersign.api_keys SET expires_at = clock_timestamp() WHERE name = 'reader'",
    )
    .execute(site.test.admin())
    .await
    .unwrap();
    assert_eq!(key.get("/findings").await.status.as_u16(), 401);
    let late = json!({"name": "late", "roles": [], "expires_at": "2020-01-01T00:00:00Z"});
    assert_eq!(make(late).await.path(), "/expires_at");
    let odd = json!({"name": "odd", "roles": [], "scopes": ["findings.red"]});
    assert_eq!(make(odd).await.path(), "/scopes/0");
    let both = json!({"name": "x", "actor_id": account["id"], "roles": ["admin"]});
    assert_eq!(make(both).await.path(), "/roles");
    let person = json!({"name": "x", "actor_id": ada.caller.actor.id.to_string()});
    assert_eq!(make(person).await.path(), "/actor_id");
    // A key for making users makes none that may more than itself.
    let scoped = json!({"name": "hr", "roles": ["admin"], "scopes": ["identity.manage"]});
    let mut hr = admin.clone();
    hr.key = text(&make(scoped).await.expect(201), "key");
    let wide = json!({"username": "mallory", "roles": ["admin"]});
    assert_eq!(refused(&hr.post("/users", &wide).await), (403, "wider_than_own"));
    let wide = json!({"name": "all", "roles": ["admin"]});
    assert_eq!(refused(&hr.post("/api-keys", &wide).await), (403, "wider_than_own"));
    hr.post("/users", &json!({"username": "nobody", "roles": []})).await.expect(201);
    // A key makes no keys of its own, and its owner's are the owner's alone.
    let own =
        json!({"name": "k", "scopes": ["findings.read"], "expires_at": "2099-01-01T00:00:00Z"});
    assert_eq!(refused(&hr.post("/account/api-keys", &own).await), (409, "no_session"));
    let mine = admin.post("/account/api-keys", &own).await.expect(201);
    let path = format!("/account/api-keys/{}", text(&mine, "id"));
    let bob = person_of(
        &site,
        site.test.another_actor(site.tenant(), "bob", &[Role::Viewer]).await,
        "bob-s",
    )
    .await;
    assert_eq!(bob.caller.send(Method::DELETE, &path, &Value::Null).await.status.as_u16(), 404);
    let theirs = bob.caller.get("/account/api-keys").await.expect(200).to_string();
    assert!(!theirs.contains(&text(&mine, "id")), "{theirs}");
    let mut laptop = admin.clone();
    laptop.key = text(&mine, "key");
    laptop.get("/findings").await.expect(200);
    admin.send(Method::DELETE, &path, &Value::Null).await.expect(204);
    assert_eq!(laptop.get("/findings").await.status.as_u16(), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_makes_one_user_once_with_no_more_than_its_inviter_has_by_then() {
    let site = Site::start().await;
    let ada = person(&site, "ada-s", &[Role::Admin]).await;
    let bob = person(&site, "bob-s", &[Role::Admin]).await;
    let invite = async |by: &Person, email: &str| {
        let body = json!({"email": email, "roles": ["operator"], "hours": 1});
        by.caller.post("/invitations", &body).await.expect(201)
    };
    let accept = |made: &Value, name: &str| json!({"token": made["token"], "username": name, "password": PASSWORD});
    let made = invite(&ada, "eve@example.com").await;
    let listed = ada.caller.get("/invitations").await.expect(200).to_string();
    assert!(!listed.contains(&text(&made, "token")), "{listed}");
    let weak = json!({"token": made["token"], "username": "eve", "password": "short"});
    let path = "/invitations/accept";
    assert_eq!(anybody(&site, path, &weak).await.path(), "/password");
    let eve = anybody(&site, path, &accept(&made, "eve")).await.expect(201);
    assert_eq!((&eve["email"], &eve["roles"]), (&json!("eve@example.com"), &json!(["operator"])));
    assert_eq!(eve["tenant"], json!(slug(&site).await), "what logging in asks for");
    log_in(&site, "eve", PASSWORD).await.expect(200);
    let never = (401, "invitation_refused");
    assert_eq!(refused(&anybody(&site, path, &accept(&made, "eve2")).await), never, "twice");
    let revoke = format!("/invitations/{}", text(&made, "id"));
    let taken_up = ada.caller.send(Method::DELETE, &revoke, &Value::Null).await;
    assert_eq!(refused(&taken_up), (409, "invitation_taken_up"));
    // Taken back, too late, made up, and by somebody who is no administrator any more.
    let back = invite(&ada, "a@example.com").await;
    let revoke = format!("/invitations/{}", text(&back, "id"));
    ada.caller.send(Method::DELETE, &revoke, &Value::Null).await.expect(204);
    assert_eq!(refused(&anybody(&site, path, &accept(&back, "a")).await), never, "taken back");
    let late = invite(&ada, "b@example.com").await;
    sqlx::query("UPDATE countersign.invitations SET expires_at = clock_timestamp() WHERE email = 'b@example.com'")
        .execute(site.test.admin())
        .await
        .unwrap();
    assert_eq!(refused(&anybody(&site, path, &accept(&late, "b")).await), never, "too late");
    let lost = invite(&bob, "c@example.com").await;
    let fewer = json!({"roles": ["viewer"]});
    ada.caller.send(Method::PATCH, &format!("/users/{}", bob.user), &fewer).await.expect(200);
    assert_eq!(refused(&anybody(&site, path, &accept(&lost, "c")).await), never, "wider");
    let off = invite(&ada, "d@example.com").await;
    for token in ["", "csi_", "csi_x_y", &text(&off, "token").to_uppercase()] {
        let made_up = json!({"token": token});
        assert_eq!(refused(&anybody(&site, path, &accept(&made_up, "d")).await), never, "{token}");
    }
    // At the same time: one user.
    let names: Vec<String> = (0..4).map(|n| format!("d{n}")).collect();
    let bodies: Vec<Value> = names.iter().map(|name| accept(&off, name)).collect();
    let tries = bodies.iter().map(|body| anybody(&site, path, body));
    let made = futures::future::join_all(tries).await;
    assert_eq!(made.iter().filter(|reply| reply.status.as_u16() == 201).count(), 1);
}

/// A kind of body, headers sent with it, and what comes back.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], u16);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w2_what_another_sites_page_makes_a_browser_send_is_refused() {
    let site = Site::start().await;
    let ada = person(&site, "ada-s", &[Role::Admin]).await;
    let cookie = format!("__Host-countersign={}", ada.caller.key);
    let url = format!("{}/api/v1/alert-rules", site.url);
    let rule = |name: &str| json!({"name": name, "action": "ignore"}).to_string();
    let form = "application/x-www-form-urlencoded";
    let own = site.url.clone();
    let cases: [Case<'_>; 8] = [
        (form, &[], 403),
        ("text/plain", &[], 403),
        ("application/json", &[], 403),
        ("application/json", &[("sec-fetch-site", "cross-site")], 403),
        ("application/json", &[("origin", "https://evil.example.com")], 403),
        ("text/plain", &[("sec-fetch-site", "same-origin")], 415),
        ("application/json", &[("sec-fetch-site", "same-origin")], 201),
        ("application/json", &[("origin", &own)], 201),
    ];
    for (at, (kind, headers, status)) in cases.into_iter().enumerate() {
        let mut request = site.http.post(&url).header(header::COOKIE, &cookie);
        request = request.header(header::CONTENT_TYPE, kind);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body =
            if kind == form { "name=x&action=ignore".to_owned() } else { rule(&at.to_string()) };
        let reply = Reply::of(request.body(body).send().await.unwrap()).await;
        assert_eq!(reply.status.as_u16(), status, "{kind} {headers:?}: {:#}", reply.body);
        if status == 403 {
            assert_eq!(reply.code(), "cross_site");
        }
    }
    // Reading with the cookie is what a link does; logging somebody in is not.
    let read =
        site.http.get(format!("{}/api/v1/account", site.url)).header(header::COOKIE, &cookie);
    assert_eq!(read.send().await.unwrap().status().as_u16(), 200);
    let login = json!({"tenant": slug(&site).await, "username": "ada-s", "password": PASSWORD});
    let login = site.http.post(format!("{}/api/v1/login", site.url)).json(&login);
    let login = Reply::of(login.header("sec-fetch-site", "cross-site").send().await.unwrap()).await;
    assert_eq!(refused(&login), (403, "cross_site"));
}
