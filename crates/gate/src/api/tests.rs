mod site;

use api::permission::TABLE;
use axum::http::{Method, StatusCode};
use model::level::Tier;
use serde_json::{Value, json};

use super::*;
use site::Site;

#[test]
fn every_route_is_in_the_openapi_document_with_an_operation_and_a_summary() {
    let document = routes().into_openapi();
    let paths: Vec<&str> = document.paths.paths.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "/api-keys/{id}/tier",
            "/approvals",
            "/approvals/{id}",
            "/approvals/{id}/approve",
            "/approvals/{id}/deny",
            "/blackout-windows",
            "/blackout-windows/{id}",
            "/break-glass",
            "/break-glass/{id}",
            "/break-glass/{id}/end",
            "/break-glass/{id}/review",
            "/circuit-breakers",
            "/circuit-breakers/{scope}/{scope_id}",
            "/circuit-breakers/{scope}/{scope_id}/close",
            "/circuit-breakers/{scope}/{scope_id}/open",
            "/decisions",
            "/decisions/{id}",
            "/exceptions",
            "/exceptions/export",
            "/exceptions/{id}",
            "/exceptions/{id}/revoke",
            "/intents",
            "/intents/{id}",
            "/plans/{id}",
            "/plans/{id}/approve",
            "/plans/{id}/deny",
            "/rate-limits",
            "/rate-limits/{id}",
            "/step-up-policy",
            "/usage",
        ]
    );
}

#[test]
fn gate_errors_become_problems_of_the_right_status() {
    let status = |error: Error| Problem::from(error).status;
    assert_eq!(status(Error::NotFound { what: "approval", id: "x".into() }), 404);
    assert_eq!(status(Error::OtherBody { deterministic_id: "x".into() }), 409);
    let conflict = Error::Conflict { what: "x", found: "y".into(), wanted: "z" };
    assert_eq!(status(conflict), 409);
    let invalid = Problem::from(Error::Invalid { path: "/note".into(), reason: "long".into() });
    assert_eq!((invalid.status, invalid.errors[0].path.as_str()), (400, "/note"));
    let float = model::canonical::to_bytes(&serde_json::json!({"a": 0.5})).unwrap_err();
    assert_eq!(status(Error::Canonical(float)), 400);
    assert_eq!(status(Error::Corrupt { what: "x", reason: "y".into() }), 500);
}

#[tokio::test]
async fn a1_a3_a8_votes_over_http_count_repeat_decide_and_come_too_late() {
    let site = Site::new().await;
    let ann = site.key(&site.world.approver("Ann").await).await;
    let bob = site.key(&site.world.approver("Bob").await).await;
    let cem = site.key(&site.world.approver("Cem").await).await;
    let waiting = site.world.waiting(1, Tier::High, 2).await[0];
    let path = format!("/approvals/{}", waiting.approval);
    let approve = format!("{path}/approve");
    let vote = |key: &str, path: &str| {
        let (key, path) = (key.to_owned(), path.to_owned());
        let site = &site;
        async move { site.call(Method::POST, &path, &key, &json!({"note": "seen"})).await }
    };
    let (status, ballot) = vote(&ann, &approve).await;
    let counted = json!({"result": "counted", "status": "pending", "missing": 1});
    assert_eq!((status, ballot), (StatusCode::OK, counted));
    let (status, again) = vote(&ann, &approve).await;
    assert_eq!((status, &again["result"]), (StatusCode::OK, &json!("repeated")));
    let (status, ballot) = vote(&bob, &format!("/plans/{}/approve", waiting.plan)).await;
    assert_eq!((status, &ballot["result"]), (StatusCode::OK, &json!("approved")));
    for late in [approve, format!("{path}/deny")] {
        let (status, problem) = vote(&cem, &late).await;
        assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("already_decided")));
    }
    let (_, mut shown) = site.call(Method::GET, &path, &cem, &Value::Null).await;
    assert_eq!(
        (&shown["status"], shown["votes"].as_array().unwrap().len()),
        (&json!("approved"), 2)
    );
    let (_, list) = site.call(Method::GET, "/approvals?status=approved", &cem, &Value::Null).await;
    // A list does not look into plans.
    assert_eq!(shown.as_object_mut().unwrap().remove("suspicious"), Some(json!([])));
    assert_eq!(list["items"][0], shown);
    let (_, none) = site.call(Method::GET, "/approvals?status=pending", &cem, &Value::Null).await;
    assert_eq!(none["items"], json!([]));
    let (status, _) = site.call(Method::GET, "/approvals?status=lost", &cem, &Value::Null).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a4_refused_votes_over_http_are_403_and_leave_an_event() {
    let site = Site::new().await;
    let waiting = site.world.waiting(1, Tier::Medium, 1).await[0];
    let path = format!("/approvals/{}/approve", waiting.approval);
    let service = site.world.service().await;
    for (actor, code) in [
        (&site.world.requester, "own_request"),
        (&site.world.author, "own_plan"),
        (&service, "not_a_person"),
    ] {
        let key = site.key(actor).await;
        let (status, problem) = site.call(Method::POST, &path, &key, &json!({})).await;
        assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!(code)));
    }
    assert_eq!(site.world.events("approval.vote_refused").await, 3);
    let note = json!({"note": "x".repeat(2001)});
    let ann = site.key(&site.world.approver("Ann").await).await;
    let (status, problem) = site.call(Method::POST, &path, &ann, &note).await;
    assert_eq!((status, &problem["errors"][0]["path"]), (StatusCode::BAD_REQUEST, &json!("/note")));
}

#[tokio::test]
async fn guards_are_kept_over_http_by_admins_alone() {
    assert!(TABLE.iter().any(|row| row.name == "policy.write"));
    let site = Site::new().await;
    let admin = site.key(&site.world.admin().await).await;
    let window = json!({
        "name": "night", "start_time": "2026-01-01T22:00:00", "end_time": "2026-01-02T06:00:00",
        "timezone": "Europe/Berlin", "recurrence": "daily",
        "affected_servers": {"tags": ["role=web"]},
    });
    let make = |body: Value| {
        let (site, admin) = (&site, &admin);
        async move { site.call(Method::POST, "/blackout-windows", admin, &body).await }
    };
    let (status, made) = make(window.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert_eq!((&made["kind"], &made["fault"]), (&json!("deny"), &Value::Null));
    assert_eq!(make(window.clone()).await.0, StatusCode::CONFLICT, "the name is taken");
    for (field, value) in [
        ("timezone", json!("Mars")),
        ("end_time", json!("2026-01-01T22:00:00")),
        ("end_time", json!("2026-02-01T22:00:00")),
        ("start_time", json!("0001-01-01T22:00:00")),
        ("recurrence_pattern", json!({"days_of_week": ["mon"]})),
        ("affected_servers", json!(7)),
    ] {
        let mut bad = window.clone();
        bad["name"] = json!("other");
        bad[field] = value;
        let (status, problem) = make(bad).await;
        let path = problem["errors"][0]["path"].clone();
        assert_eq!((status, path), (StatusCode::BAD_REQUEST, json!(format!("/{field}"))));
    }
    let path = format!("/blackout-windows/{}", made["id"].as_str().unwrap());
    let mut changed = window.clone();
    changed["enabled"] = json!(false);
    let (status, now) = site.call(Method::PUT, &path, &admin, &changed).await;
    assert_eq!((status, &now["enabled"]), (StatusCode::OK, &json!(false)));
    assert_eq!(site.call(Method::GET, &path, &admin, &Value::Null).await.1, now);
    assert_eq!(site.call(Method::DELETE, &path, &admin, &Value::Null).await.0, 204);
    assert_eq!(site.call(Method::PUT, &path, &admin, &changed).await.0, 404);
    let operator = site.key(&site.world.requester).await;
    let (status, _) = site.call(Method::POST, "/blackout-windows", &operator, &window).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn breakers_and_limits_are_set_and_overridden_over_http() {
    let site = Site::new().await;
    let admin = site.key(&site.world.admin().await).await;
    let call = |method: Method, path: &str, body: Value| {
        let (site, admin, path) = (&site, &admin, path.to_owned());
        async move { site.call(method, &path, admin, &body).await }
    };
    let breaker = format!("/circuit-breakers/runbook/{}", site.world.runbook.uuid());
    let open = format!("{breaker}/open");
    let (status, held) = call(Method::POST, &open, json!({"reason": "freeze"})).await;
    assert_eq!(
        (status, &held["state"], &held["retry_at"]),
        (StatusCode::OK, &json!("open"), &Value::Null)
    );
    assert_eq!(held["manual_reason"], json!("freeze"));
    assert_eq!(held["scope_id"], json!(site.world.runbook.to_string()), "one way to write an id");
    let close = format!("{breaker}/close");
    let (_, closed) = call(Method::POST, &close, json!({"reason": "done"})).await;
    assert_eq!(closed["state"], json!("closed"));
    let (status, set) = call(Method::PUT, &breaker, json!({"failure_threshold": 2})).await;
    assert_eq!((status, &set["failure_threshold"]), (StatusCode::OK, &json!(2)));
    for (path, body) in [
        ("/circuit-breakers/planet/x", json!({})),
        ("/circuit-breakers/runbook/x", json!({})),
        ("/circuit-breakers/global/x", json!({})),
        ("/circuit-breakers/global/global", json!({"success_threshold": 0})),
    ] {
        assert_eq!(call(Method::PUT, path, body).await.0, StatusCode::BAD_REQUEST, "{path}");
    }
    assert_eq!(call(Method::POST, &open, json!({"reason": " "})).await.0, StatusCode::BAD_REQUEST);
    let (_, list) = call(Method::GET, "/circuit-breakers", Value::Null).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);

    let limit = json!({"scope": "runbook", "scope_id": "*", "count": 5, "window_seconds": 3600});
    let (status, made) = call(Method::PUT, "/rate-limits", limit.clone()).await;
    assert_eq!((status, &made["count"]), (StatusCode::OK, &json!(5)));
    let (_, same) = call(Method::PUT, "/rate-limits", limit).await;
    assert_eq!(same["id"], made["id"], "one a scope");
    let none = json!({"scope": "tenant", "scope_id": "tenant", "count": 0, "window_seconds": 1});
    assert_eq!(call(Method::PUT, "/rate-limits", none).await.0, StatusCode::BAD_REQUEST);
    let path = format!("/rate-limits/{}", made["id"].as_str().unwrap());
    assert_eq!(call(Method::DELETE, &path, Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!(call(Method::DELETE, &path, Value::Null).await.0, StatusCode::NOT_FOUND);
}
