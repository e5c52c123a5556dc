//! S7: a secret is told once, in time, to whoever has its token; nothing else shows one.

use model::actor::Role;
use serde_json::{Value, json};

use super::harness::{Caller, Site, text};

async fn wrap(by: &Caller, secret: &str) -> Value {
    by.post("/one-time-secrets", &json!({ "secret": secret })).await.expect(201)
}

async fn unwrap(by: &Caller, wrapped: &Value) -> super::harness::Reply {
    by.post("/one-time-secrets/unwrap", &json!({"token": wrapped["token"]})).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_a_token_tells_its_secret_once_and_a_second_time_is_a_finding() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin, Role::Auditor]).await;
    let viewer = site.caller("vic", &[Role::Viewer]).await;
    let wrapped = wrap(&admin, "told once").await;
    assert_eq!(unwrap(&viewer, &wrapped).await.expect(200), json!({"secret": "told once"}));
    for again in [&viewer, &admin] {
        let refused = unwrap(again, &wrapped).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (409, "told_before"));
    }
    let findings = admin.get("/findings").await.expect(200);
    let findings = findings["items"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0]["severity"], "high");
    let id = text(&wrapped, "id");
    let about = format!("/audit/events?target_id={id}&limit=100");
    let events = site
        .until("the events in the log", || async {
            let events = admin.get(&about).await.expect(200);
            (events["items"].as_array().unwrap().len() == 4).then(|| events.to_string())
        })
        .await;
    for action in ["wrapped", "unwrapped", "presented_again"] {
        assert!(events.contains(&format!("one_time_secret.{action}")), "{action}: {events}");
    }
    let kept: Vec<u8> = sqlx::query_scalar("SELECT ciphertext FROM countersign.one_time_secrets")
        .fetch_one(site.test.admin())
        .await
        .unwrap();
    assert!(kept.is_empty(), "what was told is not kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_what_was_swapped_in_the_database_is_not_told_and_that_is_on_record() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin, Role::Auditor]).await;
    let (first, _) = (wrap(&admin, "the first").await, wrap(&admin, "the second").await);
    let swap = "UPDATE countersign.one_time_secrets a
                SET (wrapped_dek, nonce, ciphertext) = (
                  SELECT b.wrapped_dek, b.nonce, b.ciphertext
                  FROM countersign.one_time_secrets b WHERE b.id <> a.id)";
    sqlx::query(swap).execute(site.test.admin()).await.unwrap();
    let refused = unwrap(&admin, &first).await;
    assert!(refused.status.is_server_error(), "{:#}", refused.body);
    assert!(!refused.body.to_string().contains("the second"), "{:#}", refused.body);
    let about = format!("/audit/events?target_id={}&limit=100", text(&first, "id"));
    site.until("the event in the log", || async {
        let events = admin.get(&about).await.expect(200).to_string();
        events.contains("one_time_secret.not_opened").then_some(())
    })
    .await;
    let taken: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM countersign.one_time_secrets WHERE unwrapped_at IS NOT NULL",
    )
    .fetch_one(site.test.admin())
    .await
    .unwrap();
    assert_eq!(taken, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_of_many_who_present_a_token_at_once_one_is_told() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let wrapped = wrap(&admin, "told once").await;
    let attempts = (0..8).map(|_| unwrap(&admin, &wrapped));
    let answers = futures::future::join_all(attempts).await;
    let told = answers.iter().filter(|answer| answer.status.as_u16() == 200).count();
    let refused = answers.iter().filter(|answer| answer.code() == "told_before").count();
    assert_eq!((told, refused), (1, 7));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_too_late_or_from_another_tenant_nothing_is_told() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin]).await;
    let stranger = site.another_tenant().await;
    let stranger = site.caller_of(stranger, "sue", &[Role::Admin]).await;
    let wrapped = wrap(&admin, "told once").await;
    assert_eq!(unwrap(&stranger, &wrapped).await.status.as_u16(), 404);
    let nothing = json!({"token": "nothing"});
    assert_eq!(unwrap(&admin, &nothing).await.status.as_u16(), 404);
    // By the database's clock: the row is made older instead.
    sqlx::query("UPDATE countersign.one_time_secrets SET expires_at = clock_timestamp()")
        .execute(site.test.admin())
        .await
        .unwrap();
    let late = unwrap(&admin, &wrapped).await;
    assert_eq!((late.status.as_u16(), late.code()), (409, "told_no_more"));
    for ttl_s in [59, 604_801] {
        let body = json!({"secret": "s", "ttl_s": ttl_s});
        assert_eq!(admin.post("/one-time-secrets", &body).await.path(), "/ttl_s");
    }
    let viewer = site.caller("vic", &[Role::Viewer]).await;
    let body = json!({"secret": "s"});
    assert_eq!(viewer.post("/one-time-secrets", &body).await.status.as_u16(), 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_listed_and_rotated_and_an_altered_secret_stops_nothing() {
    let site = Site::start().await;
    let admin = site.caller("ada", &[Role::Admin, Role::Auditor]).await;
    let viewer = site.caller("vic", &[Role::Viewer]).await;
    let secret = |name: &str| json!({"name": name, "kind": "password", "secret": name});
    let altered = admin.post("/credentials", &secret("altered")).await.expect(201);
    admin.post("/credentials", &secret("sound")).await.expect(201);
    // Two rows' ciphertexts swapped: AAD tells.
    sqlx::query(
        "UPDATE countersign.credentials c SET wrapped_dek = o.wrapped_dek
         FROM countersign.credentials o WHERE c.name = 'altered' AND o.name = 'sound'",
    )
    .execute(site.test.admin())
    .await
    .unwrap();
    let rotate = json!({"kind": "tenant_key"});
    assert_eq!(viewer.post("/key-rotations", &rotate).await.status.as_u16(), 403);
    assert_eq!(viewer.get("/tenant-keys").await.status.as_u16(), 403);
    for (kind, generations) in [("kek", 2), ("tenant_key", 4), ("data_key", 4)] {
        admin.post("/key-rotations", &json!({ "kind": kind })).await.expect(201);
        let done = site
            .until("the end of a rotation", || async {
                let rotations = admin.get("/key-rotations").await.expect(200);
                (rotations[0]["state"] == "done").then(|| rotations[0].clone())
            })
            .await;
        let failed = u64::from(kind != "kek");
        assert_eq!(done["secrets_done"], 2, "{done:#}");
        assert_eq!(done["secrets_failed"], failed, "{done:#}");
        let keys = admin.get("/tenant-keys").await.expect(200);
        assert_eq!(keys.as_array().unwrap().len(), generations, "{keys:#}");
        assert!(!keys.to_string().contains("wrapped\":"), "{keys:#}");
        let mut changes = keys.as_array().unwrap().iter().filter(|key| key["purpose"] == "change");
        let kept = changes.all(|key| key["kek_id"] != "retired");
        assert!(kept, "what did not open is still sealed under the old one: {keys:#}");
    }
    let about = format!("/audit/events?target_id={}&limit=100", text(&altered, "id"));
    site.until("the events in the log", || async {
        let events = admin.get(&about).await.expect(200).to_string();
        events.contains("credential.not_opened").then_some(())
    })
    .await;
}
