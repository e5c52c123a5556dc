use model::execution::ExecutionState;
use serde_json::{Value, json};

use super::{End, Progress, Seen, end_of};

fn event(kind: &str, run: Option<&str>, message: &str, details: &Value) -> Value {
    json!({
        "event": kind, "seq": 1, "ts": "2026-11-21T08:30:12Z",
        "data": {"execution_id": "exe_1", "step_run_id": run, "message": message, "details": details},
    })
}

#[test]
fn output_is_named_after_the_step_that_printed_it() {
    let mut progress = Progress::default();
    let began =
        event("step", Some("srn_1"), "Look on web-1: started", &json!({"state": "running"}));
    assert_eq!(
        progress.take(&began),
        Seen::Began {
            id: "srn_1".to_owned(),
            label: "Look on web-1".to_owned(),
            line: "Look on web-1: started".to_owned()
        }
    );
    let printed = event("output", Some("srn_1"), "a\nb\n", &json!({"stream": "stderr"}));
    let expected = "Look on web-1 ! a\nLook on web-1 ! b".to_owned();
    assert_eq!(progress.take(&printed), Seen::Printed(expected));
}

#[test]
fn an_undo_is_the_same_step() {
    let mut progress = Progress::default();
    let undo =
        event("step", Some("srn_1"), "Stop on db: undo started", &json!({"state": "running"}));
    assert!(matches!(progress.take(&undo), Seen::Began { label, .. } if label == "Stop on db"));
}

#[test]
fn every_way_of_telling_a_state_is_understood() {
    let mut progress = Progress::default();
    let told = [
        event("state", None, "approved", &json!({"state": "approved"})),
        event("state", None, "x", &json!({"from": "in_progress", "to": "approved"})),
        json!({"event": "execution.ended", "seq": 9, "data": {"state": "approved"}}),
    ];
    for one in told {
        let seen = progress.take(&one);
        assert!(
            matches!(seen, Seen::State { to: Some(ExecutionState::Approved), .. }),
            "{one}: {seen:?}"
        );
    }
}

#[test]
fn output_cannot_steer_the_terminal() {
    let printed = event("output", None, "\u{1b}[2J", &json!({"stream": "stdout"}));
    assert!(
        matches!(Progress::default().take(&printed), Seen::Printed(text) if !text.contains('\u{1b}'))
    );
}

#[test]
fn only_a_completed_execution_is_a_success() {
    for &state in ExecutionState::ALL {
        let expected = match state.word() {
            "completed" => End::Good,
            "needs_human" => End::CannotTell,
            _ => End::Failed,
        };
        assert_eq!(end_of(state), expected, "{state}");
    }
}
