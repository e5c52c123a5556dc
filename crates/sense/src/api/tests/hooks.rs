//! Deliveries of alerts over HTTP.

use tokio::task::JoinSet;

use super::*;

fn group(alerts: &[Value]) -> Value {
    json!({"version": "4", "status": "firing", "alerts": alerts})
}

fn alert(number: usize) -> Value {
    json!({
        "status": "firing",
        "labels": {"alertname": "DiskFull", "instance": format!("db-{number}:9100")},
        "annotations": {},
        "startsAt": "2026-03-01T10:00:00Z",
        "fingerprint": format!("{number:016x}"),
    })
}

#[tokio::test]
async fn i4_a_delivery_with_one_bad_alert_is_answered_with_200_and_keeps_the_rest() {
    let site = site().await;
    let mut bad = alert(2);
    bad["labels"]["note"] = json!("a\0b");
    let body = group(&[alert(1), bad, alert(3)]);
    let (status, receipt) = site.ask(Method::POST, "/hooks/alertmanager", &body).await;
    assert_eq!(status, StatusCode::OK, "{receipt}");
    assert_eq!((&receipt["new"], &receipt["quarantined"]), (&json!(2), &json!(1)));
    let (_, list) = site.ask(Method::GET, "/quarantined-alerts", &Value::Null).await;
    assert_eq!(list["items"][0]["path"], "/alerts/1/labels/note");
    let (_, list) = site.ask(Method::GET, "/alerts?q=db-3", &Value::Null).await;
    assert_eq!(list["items"][0]["alert_name"], "DiskFull");
    assert_eq!(list["items"][0]["title"], "DiskFull on db-3:9100");
    let id = receipt["finding_ids"][0].as_str().unwrap();
    let (status, finding) = site.ask(Method::GET, &format!("/findings/{id}"), &Value::Null).await;
    assert_eq!((status, &finding["kind"]), (StatusCode::OK, &json!("alert")));
    let (status, _) = site.ask(Method::GET, &format!("/alerts/{id}"), &Value::Null).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn bodies_that_are_no_delivery_are_refused_with_4xx_and_a_path() {
    let site = site().await;
    let bearer = format!("Bearer {}", site.key);
    let deep =
        format!(r#"{{"version":"4","alerts":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let large = format!(r#"{{"version":"4","pad":"{}"}}"#, "x".repeat(9 << 20));
    let too_many = group(&vec![alert(1); 1_001]);
    let deepest = format!("/alerts{}", "/0".repeat(63));
    for (body, expected, path) in [
        (Vec::new(), 400, ""),
        (br#"{"version":"3"}"#.to_vec(), 400, "/version"),
        (br#"{"version":"4","receiver":"\u0000","alerts":[]}"#.to_vec(), 400, "/receiver"),
        (b"{\"version\":\"4\",\"receiver\":\"\xff\",\"alerts\":[]}".to_vec(), 400, "/receiver"),
        (br#"{"version":"4","version":"4","alerts":[]}"#.to_vec(), 400, "/version"),
        (br#"{"version":"4","x":1e400,"alerts":[]}"#.to_vec(), 400, "/x"),
        (deep.into_bytes(), 400, deepest.as_str()),
        (large.into_bytes(), 413, ""),
        (serde_json::to_vec(&too_many).unwrap(), 413, "/alerts"),
    ] {
        let headers = [("authorization", bearer.as_str())];
        let (status, answer) = site.call(Method::POST, "/hooks/alertmanager", &headers, body).await;
        assert_eq!(status.as_u16(), expected, "{answer}");
        assert_eq!(answer["errors"][0]["path"].as_str().unwrap_or_default(), path, "{answer}");
    }
    let (_, findings) = site.ask(Method::GET, "/findings", &Value::Null).await;
    assert_eq!(findings["items"], json!([]));
}

#[tokio::test]
async fn only_who_may_send_alerts_can() {
    let site = site().await;
    let body = serde_json::to_vec(&group(&[alert(1)])).unwrap();
    let (status, _) = site.call(Method::POST, "/hooks/alertmanager", &[], body.clone()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (_, viewer) = site.key_with("viewer", &[Role::Viewer]).await;
    let bearer = format!("Bearer {viewer}");
    let headers = [("authorization", bearer.as_str())];
    let (status, _) = site.call(Method::POST, "/hooks/alertmanager", &headers, body.clone()).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (actor, sender) = site.key_with("prometheus", &[Role::Operator]).await;
    let source = json!({"name": "am-eu", "kind": "alertmanager", "actor_id": actor.id.to_string()});
    site.make("/alert-sources", &source).await;
    let bearer = format!("Bearer {sender}");
    let headers = [("authorization", bearer.as_str())];
    let (status, _) = site.call(Method::POST, "/hooks/alertmanager", &headers, body).await;
    assert_eq!(status, StatusCode::OK);
    let (_, list) = site.ask(Method::GET, "/alerts", &Value::Null).await;
    assert_eq!(list["items"][0]["source"], "am-eu");
}

const SECRET: &str = "sixteen bytes at least";
const EVENT: &[u8] = br#"{"check":  "disk", "since": 1772359200}"#;

/// A generic source of this name; gives the bearer header of its key.
async fn generic(site: &Site, name: &str) -> String {
    let (actor, key) = site.key_with(name, &[Role::Operator]).await;
    let source = json!({
        "name": name,
        "kind": "generic",
        "actor_id": actor.id.to_string(),
        "mapping": {"name": "/check", "starts_at": "/since"},
        "secret": SECRET,
    });
    let made = site.make("/alert-sources", &source).await;
    assert_eq!(made.get("secret"), None);
    format!("Bearer {key}")
}

fn signed(body: &[u8], secret: &str) -> String {
    sign(body, &Secret::from(secret.to_owned()))
}

async fn deliver(site: &Site, bearer: &str, signature: Option<&str>, body: &[u8]) -> u16 {
    let mut headers = vec![("authorization", bearer)];
    headers.extend(signature.map(|text| (SIGNATURE_HEADER, text)));
    site.call(Method::POST, "/hooks/generic/zabbix", &headers, body.to_vec()).await.0.as_u16()
}

#[tokio::test]
async fn i5_a_generic_delivery_passes_only_with_a_signature_over_its_exact_bytes() {
    let site = site().await;
    let bearer = generic(&site, "zabbix").await;
    let value: Value = serde_json::from_slice(EVENT).unwrap();
    let again = serde_json::to_vec(&value).unwrap();
    let broken: &[u8] = b"{broken";
    let twice: &[u8] = br#"{"check":"disk","check":"net","since":1772359200}"#;
    let sha1 = "sha1=de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9".to_owned();
    for (what, signature, body, expected) in [
        ("the exact bytes", Some(signed(EVENT, SECRET)), EVENT, 200),
        ("re-serialised bytes", Some(signed(&again, SECRET)), EVENT, 401),
        ("another secret", Some(signed(EVENT, "another secret, longer")), EVENT, 401),
        ("no signature", None, EVENT, 401),
        ("SHA-1 only", Some(sha1), EVENT, 401),
        ("verified before parsed", Some(signed(EVENT, SECRET)), broken, 401),
        ("signed, but no JSON", Some(signed(broken, SECRET)), broken, 400),
        ("signed, but ambiguous", Some(signed(twice, SECRET)), twice, 400),
    ] {
        let status = deliver(&site, &bearer, signature.as_deref(), body).await;
        assert_eq!(status, expected, "{what}");
    }
}

#[tokio::test]
async fn i5_during_a_rotation_both_secrets_pass_and_afterwards_only_the_new() {
    let site = site().await;
    let bearer = generic(&site, "zabbix").await;
    let new = "another sixteen bytes";
    let (by_old, by_new) = (signed(EVENT, SECRET), signed(EVENT, new));
    let both = async || {
        let old = deliver(&site, &bearer, Some(&by_old), EVENT).await;
        (old, deliver(&site, &bearer, Some(&by_new), EVENT).await)
    };
    assert_eq!(both().await, (200, 401));
    let rotated =
        site.ask(Method::POST, "/alert-sources/zabbix/secret", &json!({"secret": new})).await;
    assert_eq!(rotated.0, StatusCode::NO_CONTENT);
    assert_eq!(both().await, (200, 200));
    let ended =
        site.ask(Method::DELETE, "/alert-sources/zabbix/previous-secret", &Value::Null).await;
    assert_eq!(ended.0, StatusCode::NO_CONTENT);
    assert_eq!(both().await, (401, 200));
}

#[tokio::test]
async fn a_key_sends_for_its_own_source_only() {
    let site = site().await;
    generic(&site, "zabbix").await;
    let other = generic(&site, "nagios").await;
    let signature = signed(EVENT, SECRET);
    let headers = [("authorization", other.as_str()), (SIGNATURE_HEADER, signature.as_str())];
    let empty: &[u8] = br#"{"version":"4","alerts":[]}"#;
    for (path, body, expected) in [
        ("/hooks/generic/zabbix", EVENT, 403),
        ("/hooks/generic/nobody", EVENT, 404),
        ("/hooks/generic/%00", EVENT, 404),
        ("/hooks/alertmanager", empty, 403),
    ] {
        let (status, _) = site.call(Method::POST, path, &headers, body.to_vec()).await;
        assert_eq!(status.as_u16(), expected, "{path}");
    }
}

#[tokio::test]
async fn p4_a_query_with_a_nul_or_an_unknown_word_is_refused() {
    let site = site().await;
    for (query, path) in [
        ("q=a%00b", "query.q"),
        ("alert_name=%00", "query.alert_name"),
        ("severity=terrible", "query.severity"),
        ("status=gone", "query.status"),
        ("limit=0", "query.limit"),
        ("cursor=x", "query.cursor"),
    ] {
        let refused = site.refused(Method::GET, &format!("/alerts?{query}"), &Value::Null).await;
        assert_eq!(refused, (400, path.to_owned()));
    }
}

/// Delivers all of them at once and gives the answers, in their order.
async fn at_once(site: &Arc<Site>, bodies: Vec<Value>) -> Vec<(StatusCode, Value)> {
    let mut posts = JoinSet::new();
    for (at, body) in bodies.into_iter().enumerate() {
        let site = Arc::clone(site);
        posts
            .spawn(async move { (at, site.ask(Method::POST, "/hooks/alertmanager", &body).await) });
    }
    let mut answers = posts.join_all().await;
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[tokio::test]
async fn deliveries_at_once_share_transactions_and_each_has_its_own_receipt_and_event() {
    let site = Arc::new(site().await);
    // Each delivery has an alert of its own and one that all of them have.
    let bodies = (1..=40).map(|number| group(&[alert(0), alert(number)])).collect();
    let answers = at_once(&site, bodies).await;
    let sum =
        |what: &str| -> u64 { answers.iter().map(|(_, one)| one[what].as_u64().unwrap()).sum() };
    assert_eq!((sum("new"), sum("repeated")), (41, 39));
    for (status, receipt) in &answers {
        assert_eq!(*status, StatusCode::OK);
        let [shared, own] = receipt["finding_ids"].as_array().unwrap().as_slice() else { panic!() };
        assert_eq!(shared, &answers[0].1["finding_ids"][0]);
        assert_ne!(own, shared);
    }
    let (events, transactions): (i64, i64) =
        sqlx::query_as("SELECT count(*), count(DISTINCT xmin::text) FROM countersign.audit_outbox")
            .fetch_one(site.test.admin())
            .await
            .unwrap();
    assert_eq!(events, 40);
    assert!(transactions < 40, "{transactions} transactions");
}

#[tokio::test]
async fn a_delivery_the_database_does_not_take_leaves_the_others_alone() {
    let site = Arc::new(site().await);
    // What no check of ours foresees.
    for statement in [
        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'poison' USING ERRCODE = '22000'; END $$",
        "CREATE TRIGGER poison BEFORE INSERT ON countersign.alerts FOR EACH ROW
         WHEN (NEW.instance = 'db-7:9100') EXECUTE FUNCTION public.refuse()",
    ] {
        sqlx::raw_sql(statement).execute(site.test.admin()).await.unwrap();
    }
    let answers = at_once(&site, (1..=20).map(|number| group(&[alert(number)])).collect()).await;
    for (at, (status, answer)) in answers.iter().enumerate() {
        let expected = if at == 6 { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        assert_eq!(*status, expected, "{answer}");
    }
    let (_, list) = site.ask(Method::GET, "/alerts?limit=100", &Value::Null).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 19);
}
