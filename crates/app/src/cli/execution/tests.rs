use serde_json::json;

use super::{Resolve, shown};

fn resolve(step: Option<&str>, on: Option<&str>) -> Resolve {
    Resolve {
        id: "exe_1".to_owned(),
        step: step.map(str::to_owned),
        on: on.map(str::to_owned),
        succeeded: true,
        failed: false,
        retry: false,
    }
}

fn execution() -> serde_json::Value {
    json!({
        "id": "exe_1", "summary": "restart nginx on web-1", "state": "needs_human",
        "steps": [
            {"id": "srn_1", "order": 1, "name": "Restart", "target": "web-1", "state": "unknown",
             "stage": "act", "stdout": "half a line\u{1b}[2J", "truncated": true},
            {"id": "srn_2", "order": 1, "name": "Restart", "target": "web-2", "state": "unknown",
             "stage": "act"},
            {"id": "srn_3", "order": 2, "name": "Check", "target": "web-1", "state": "pending",
             "stage": "verify", "stdout": "not shown"},
        ],
        "evidence": [],
    })
}

#[test]
fn a_step_in_doubt_is_found_by_name_and_server() {
    let found = |step, on| resolve(step, on).step_of(&execution()).map_err(|e| e.to_string());
    assert_eq!(found(Some("srn_3"), None), Ok("srn_3".to_owned()));
    assert_eq!(found(Some("Restart"), Some("web-2")), Ok("srn_2".to_owned()));
    assert_eq!(found(None, Some("web-1")), Ok("srn_1".to_owned()));
    let several = found(None, None).expect_err("two are in doubt");
    assert!(several.contains("Restart on web-1, Restart on web-2"), "{several}");
    assert!(found(Some("Check"), None).is_err(), "it is not in doubt");
}

#[test]
fn an_execution_shows_what_failed_steps_printed() {
    let text = shown(&execution(), false);
    assert!(
        text.contains("Restart on web-1, stdout:\n  half a line\\u{1b}[2J\n  … cut off"),
        "{text}"
    );
    assert!(!text.contains("not shown"), "{text}");
    assert!(shown(&execution(), true).contains("not shown"));
}
