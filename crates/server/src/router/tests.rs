//! What every request passes, with handlers of the tests' own.

use axum::body::{Body, to_bytes};
use axum::extract::Path;
use axum::http::Request;
use axum::routing::get;
use model::id::{ExecutionId, RunbookId, StepRunId};
use tower::ServiceExt as _;

use super::*;

async fn answer(router: Router, path: &str) -> (StatusCode, Problem) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router
        .layer(middleware::from_fn_with_state(Proxies::default(), named))
        .oneshot(request)
        .await
        .unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

fn with_paths() -> Router {
    Router::new()
        .route("/numbers/{number}", get(|Path(_): Path<u32>| async {}))
        .route("/runbooks/{id}", get(|Path(_): Path<RunbookId>| async {}))
        .route(
            "/executions/{id}/steps/{step}",
            get(|Path(_): Path<(ExecutionId, StepRunId)>| async {}),
        )
        .route("/runbooks/{id}/versions/{version}", get(|Path(_): Path<(RunbookId, u32)>| async {}))
}

#[tokio::test]
async fn a_part_of_the_path_that_cannot_be_read_is_a_problem_that_names_it() {
    let execution = ExecutionId::generate();
    let runbook = RunbookId::generate();
    for (path, at) in [
        ("/runbooks/nothing".to_owned(), "path.id"),
        ("/numbers/x".to_owned(), "path.number"),
        ("/runbooks/%00".to_owned(), "path.id"),
        ("/runbooks/%ff".to_owned(), "path.id"),
        (format!("/runbooks/{execution}"), "path.id"),
        (format!("/executions/{runbook}/steps/x"), "path.id"),
        (format!("/executions/{runbook}/steps/{}", StepRunId::generate().uuid()), "path.id"),
        (format!("/executions/{execution}/steps/x"), "path.step"),
        (format!("/executions/{execution}/steps/{runbook}"), "path.step"),
        ("/runbooks/x/versions/1".to_owned(), "path.id"),
        (format!("/runbooks/{runbook}/versions/-1"), "path.version"),
    ] {
        let (status, problem) = answer(with_paths(), &path).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(problem.code, "invalid", "{path}");
        assert!(problem.request_id.is_some());
        let faults: Vec<_> =
            problem.errors.iter().map(|fault| (fault.path.as_str(), fault.code.as_str())).collect();
        assert_eq!(faults, [(at, "id")], "{path}: {problem:?}");
    }
}

#[tokio::test]
async fn after_the_time_limit_nothing_is_claimed_about_what_was_done() {
    let never = get(std::future::pending::<()>);
    let router = Router::new()
        .route("/never", never)
        .layer(middleware::from_fn_with_state(Duration::from_millis(1), bounded));
    let (status, problem) = answer(router, "/never").await;
    assert_eq!(
        (status, problem.code.as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "outcome_unknown")
    );
    assert!(problem.detail.contains("may have been carried out"), "{}", problem.detail);
    let internal = Problem::internal(&std::io::Error::other("the disk is gone"));
    assert!(internal.detail.contains("may have been carried out"), "{}", internal.detail);
    for said in [problem.detail, internal.detail] {
        assert!(!said.contains("nothing was changed") && !said.contains("disk"), "{said}");
    }
}

#[tokio::test]
async fn hooks_and_files_of_models_have_body_limits_of_their_own() {
    let limit = |request: axum::extract::Request| async move {
        let limit = request.extensions().get::<OwnLimit>().map(|own| own.0);
        Problem::conflict("test", format!("{limit:?}"))
    };
    let router = || Router::new().fallback(limit);
    let (_, hook) = answer(router(), "/api/v1/hooks/alertmanager").await;
    assert_eq!(hook.detail, format!("Some({})", sense::alert::MAX_BODY_BYTES));
    let (_, file) = answer(router(), "/api/v1/models/mdl_1/artifact").await;
    assert_eq!(file.detail, format!("Some({})", learn::api::registry::MAX_ARTIFACT_BYTES));
    let (_, other) = answer(router(), "/api/v1/runbooks").await;
    assert_eq!(other.detail, "None");
}
