//! Quotas of the decision API: counted exactly, month by month.

use futures::future::join_all;
use model::actor::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::decisions::provision;
use super::harness::{Caller, Reply, Site, text};

const EVALUATE: &str = "/decisions/evaluate";

async fn run(site: &Site, sql: &str) {
    sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(site.test.admin()).await.unwrap();
}

/// The id of a caller's key.
async fn key_of(site: &Site, caller: &Caller) -> uuid::Uuid {
    sqlx::query_scalar("SELECT id FROM countersign.api_keys WHERE actor_id = $1")
        .bind(caller.actor.id.uuid())
        .fetch_one(site.test.admin())
        .await
        .unwrap()
}

/// Writes that a key used so much in the month `back` months ago.
async fn used(site: &Site, caller: &Caller, units: i32, back: i32) {
    sqlx::query(
        "INSERT INTO countersign.usage_logs
           (tenant_id, id, api_key_id, actor_id, endpoint, units, period)
         VALUES ($1, gen_random_uuid(), $2, $3, 'decisions.evaluate', $4,
           (countersign.usage_period(clock_timestamp()) - make_interval(months => $5))::date)",
    )
    .bind(caller.actor.tenant_id.uuid())
    .bind(key_of(site, caller).await)
    .bind(caller.actor.id.uuid())
    .bind(units)
    .bind(back)
    .execute(site.test.admin())
    .await
    .unwrap();
}

async fn tier(admin: &Caller, site: &Site, caller: &Caller, tier: &str) -> Value {
    let path = format!("/api-keys/{}/tier", key_of(site, caller).await);
    admin.send(Method::PUT, &path, &json!({"tier": tier})).await.expect(200)
}

fn header(reply: &Reply, name: &str) -> i64 {
    reply.headers[name].to_str().unwrap().parse().unwrap()
}

/// Asks so many different things at the same time: how many were answered.
async fn crowd(callers: &[&Caller], name: &str, many: usize) -> usize {
    let asked = (0..many).map(|at| {
        let caller = callers[at % callers.len()];
        let body = provision(&format!("{name}-{at}"));
        async move { caller.post(EVALUATE, &body).await }
    });
    let replies = join_all(asked).await;
    for reply in replies.iter().filter(|reply| reply.status.as_u16() != 200) {
        assert_eq!((reply.status.as_u16(), reply.code()), (429, "quota_exhausted"));
    }
    replies.iter().filter(|reply| reply.status.as_u16() == 200).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_at_the_last_evaluations_gets_exactly_those_that_are_left() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let asker = site.caller("planner", &[Role::Operator]).await;
    used(&site, &asker, 990, 0).await;
    // Without a limit there is nothing to say about one.
    let free = asker.post(EVALUATE, &provision("unlimited")).await;
    assert!(!free.headers.contains_key("x-ratelimit-limit"));
    let set = tier(&admin, &site, &asker, "free").await;
    assert_eq!((&set["tier"], &set["limit"]), (&json!("free"), &json!(1000)));
    // What was used while nothing limited the key counts, too: one, and 990.
    let first = asker.post(EVALUATE, &provision("first")).await;
    assert_eq!(first.status.as_u16(), 200);
    assert_eq!(
        (header(&first, "x-ratelimit-limit"), header(&first, "x-ratelimit-remaining")),
        (1000, 8)
    );
    assert_eq!(crowd(&[&asker], "crowd", 24).await, 8);
    assert_eq!(site.count(site.tenant(), "decisions").await, 10);
    assert_eq!(site.count(site.tenant(), "intents").await, 10, "what is refused leaves nothing");

    let refused = asker.post(EVALUATE, &provision("one more")).await;
    assert_eq!(refused.status.as_u16(), 429);
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    assert_eq!(header(&refused, "x-ratelimit-remaining"), 0);
    let (now, ends): (i64, i64) = sqlx::query_as(
        "SELECT extract(epoch FROM clock_timestamp())::bigint,
           extract(epoch FROM countersign.usage_resets_at(countersign.usage_period(clock_timestamp())))::bigint",
    )
    .fetch_one(site.test.admin())
    .await
    .unwrap();
    assert_eq!(header(&refused, "x-ratelimit-reset"), ends);
    let wait = header(&refused, "retry-after");
    assert!((1..=ends - now + 300).contains(&wait), "{wait} of {}", ends - now);
    let state = refused.headers["ratelimit"].to_str().unwrap();
    assert!(state.starts_with("\"month\";r=0;t="), "{state}");
    assert_eq!(refused.headers["ratelimit-policy"], "\"month\";q=1000");
    // A question that was answered is answered again: that is no evaluation.
    let again = asker.post(EVALUATE, &provision("first")).await;
    assert_eq!((again.status.as_u16(), header(&again, "x-ratelimit-remaining")), (200, 0));
    // Another key has its own limit.
    let other = site.caller("other", &[Role::Operator]).await;
    assert_eq!(other.post(EVALUATE, &provision("other")).await.status.as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_keys_of_a_tenant_share_what_the_tenant_has() {
    let site = Site::start().await;
    let one = site.caller("one", &[Role::Operator]).await;
    let two = site.caller("two", &[Role::Operator]).await;
    run(&site, "UPDATE countersign.tenants SET tier = 'free'").await;
    used(&site, &one, 600, 0).await;
    used(&site, &two, 390, 0).await;
    assert_eq!(crowd(&[&one, &two], "shared", 20).await, 10);
    let theirs = site.another_tenant().await;
    let theirs = site.caller_of(theirs, "theirs", &[Role::Operator]).await;
    assert_eq!(theirs.post(EVALUATE, &provision("theirs")).await.status.as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_month_counts_anew_and_months_are_those_of_utc() {
    let site = Site::start().await;
    let asker = site.caller("planner", &[Role::Operator]).await;
    run(&site, "UPDATE countersign.api_keys SET tier = 'free'").await;
    used(&site, &asker, 1000, 1).await;
    sqlx::query(
        "INSERT INTO countersign.usage_counters (tenant_id, scope, scope_id, period, used)
         VALUES ($1, 'key', $2,
           (countersign.usage_period(clock_timestamp()) - interval '1 month')::date, 1000)",
    )
    .bind(site.tenant().uuid())
    .bind(key_of(&site, &asker).await)
    .execute(site.test.admin())
    .await
    .unwrap();
    let first = asker.post(EVALUATE, &provision("first")).await;
    assert_eq!((first.status.as_u16(), header(&first, "x-ratelimit-remaining")), (200, 999));

    // Whatever time zone a session has: in Auckland it is December for thirteen hours already.
    for (moment, period, resets) in [
        ("2026-11-30T23:59:59.999999Z", "2026-11-01", "2026-12-01T00:00:00Z"),
        ("2026-12-01T00:00:00Z", "2026-12-01", "2027-01-01T00:00:00Z"),
        ("2026-12-01T12:59:59+13:00", "2026-11-01", "2026-12-01T00:00:00Z"),
        ("2028-02-29T23:30:00-02:00", "2028-03-01", "2028-04-01T00:00:00Z"),
    ] {
        for zone in ["UTC", "Pacific/Auckland", "America/Los_Angeles"] {
            let mut tx = site.test.admin().begin().await.unwrap();
            let set = format!("SET LOCAL TIME ZONE '{zone}'");
            sqlx::query(sqlx::AssertSqlSafe(set)).execute(&mut *tx).await.unwrap();
            let right: bool = sqlx::query_scalar(
                "SELECT countersign.usage_period($1::text::timestamptz) = $2::text::date
                   AND countersign.usage_resets_at($2::text::date) = $3::text::timestamptz",
            )
            .bind(moment)
            .bind(period)
            .bind(resets)
            .fetch_one(&mut *tx)
            .await
            .unwrap();
            assert!(right, "{moment} in {zone}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn use_is_logged_summed_by_key_and_seen_through_the_lens() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let (one, two) =
        (site.caller("one", &[Role::Operator]).await, site.caller("two", &[Role::Operator]).await);
    tier(&admin, &site, &two, "pro").await;
    for number in 0..3 {
        one.post(EVALUATE, &provision(&format!("one-{number}"))).await.expect(200);
    }
    two.post(EVALUATE, &provision("two")).await.expect(200);
    two.post(EVALUATE, &provision("two")).await.expect(200);
    let mut person = admin.clone();
    let user = json!({"username": "eve", "roles": ["operator"]});
    let made = admin.post("/users", &user).await.expect(201);
    let tenant: String = sqlx::query_scalar("SELECT slug FROM countersign.tenants WHERE id = $1")
        .bind(site.tenant().uuid())
        .fetch_one(site.test.admin())
        .await
        .unwrap();
    let login = json!({
        "tenant": tenant, "username": "eve", "password": made["one_time_password"],
    });
    person.key = text(&admin.post("/login", &login).await.expect(200), "token");
    run(&site, "UPDATE countersign.users SET must_change_password = false").await;
    person.post(EVALUATE, &provision("eve")).await.expect(200);

    let usage = admin.get("/usage").await.expect(200);
    assert_eq!((&usage["used"], &usage["tier"]), (&json!(5), &json!("enterprise")));
    assert_eq!((&usage["limit"], &usage["remaining"]), (&Value::Null, &Value::Null));
    let items: Vec<_> = usage["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (item["units"].as_i64().unwrap(), item["limit"].clone(), item["api_key_id"].is_null())
        })
        .collect();
    assert_eq!(items[0], (3, Value::Null, false));
    assert_eq!(items[1..].iter().filter(|item| **item == (1, json!(10_000), false)).count(), 1);
    assert_eq!(items[1..].iter().filter(|item| **item == (1, Value::Null, true)).count(), 1);
    let month = text(&usage, "period");
    assert_eq!(admin.get(&format!("/usage?period={month}")).await.expect(200), usage);
    assert_eq!(admin.get("/usage?period=2020-02").await.expect(200)["used"], 0);
    for bad in ["2026-13", "2026-1", "now", "0000-01", "2026-11-01"] {
        let reply = admin.get(&format!("/usage?period={bad}")).await;
        assert_eq!((reply.status.as_u16(), reply.path()), (400, "query.period"), "{bad}");
    }
    let seen: Vec<(Option<String>, String, i64)> = sqlx::query_as(
        "SELECT api_key, endpoint, sum(units) FROM lens_decision.usage_logs
         GROUP BY api_key, endpoint ORDER BY 3 DESC, 1 NULLS LAST",
    )
    .fetch_all(site.test.admin())
    .await
    .unwrap();
    assert_eq!(seen.iter().map(|row| row.2).collect::<Vec<_>>(), [3, 1, 1]);
    assert_eq!(seen.iter().filter(|row| row.0.is_none()).count(), 1);
    let keys: Vec<String> = sqlx::query_scalar("SELECT key FROM lens_decision.api_keys")
        .fetch_all(site.test.admin())
        .await
        .unwrap();
    assert!(seen.iter().filter_map(|row| row.0.clone()).all(|key| keys.contains(&key)));

    let path = format!("/api-keys/{}/tier", key_of(&site, &one).await);
    let reply = admin.send(Method::PUT, &path, &json!({"tier": "gold"})).await;
    assert_eq!((reply.status.as_u16(), reply.path()), (400, "/tier"));
    assert_eq!(one.send(Method::PUT, &path, &json!({"tier": "pro"})).await.status.as_u16(), 403);
}
