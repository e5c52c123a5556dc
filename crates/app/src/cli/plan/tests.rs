use serde_json::json;

use super::shown;

#[test]
fn a_plan_shows_each_command_once_with_its_targets_and_why() {
    let plan = json!({
        "id": "pln_1", "summary": "restart nginx on 2 servers", "plan_hash": "ab12",
        "intact": true, "created_at": "2026-11-21T08:30:12Z",
        "blast_radius": {"targets": 2, "scope": "namespace", "irreversible": false,
            "environments": ["prod"]},
        "document": {"runbook": {"name": "restart", "version": 3}},
        "steps": [
            {"order": 1, "name": "Restart", "stage": "act", "action": "host.service.restart",
                "semantics": "idempotent",
                "commands": {"web-1": "systemctl restart 'nginx'", "web-2": "systemctl restart 'nginx'"},
                "undo": {}},
            {"order": 2, "name": "Check", "stage": "verify", "action": "host.shell",
                "semantics": "read",
                "commands": {"web-1": "curl -fsS localhost\necho ok", "web-2": "curl -fsS other"},
                "undo": {}},
        ],
    });
    let decision = json!({
        "verdict": "require_approval",
        "reasons": [{"judge": "policy", "code": "prod_requires_approval",
            "verdict": "require_approval", "message": "production needs a second person"}],
        "guards": [{"guard": "blackout", "verdict": "allow", "code": "none", "message": ""}],
        "approval": {"tier": "high", "roles": ["approver"], "min_votes": 1, "ttl_s": 3600},
    });
    let approval = json!({
        "id": "apr_1", "status": "pending", "tier": "high", "roles": ["approver"], "min_votes": 1,
        "votes": [], "expires_at": "2026-11-21T09:30:12Z", "requester_id": "act_1",
    });
    insta::assert_snapshot!("plan_shown", shown(&plan, &(Some(decision), Some(approval))));
}

#[test]
fn a_plan_that_was_altered_says_so() {
    let plan = json!({"id": "pln_1", "intact": false, "steps": []});
    assert!(shown(&plan, &(None, None)).contains("NO LONGER HAS THIS HASH"));
}

#[test]
fn p8_a_plan_that_is_not_what_it_seems_says_so_before_its_commands() {
    let command = "rm \u{202e}gpj.exe";
    let plan = json!({
        "id": "pln_1", "intact": true,
        "steps": [{"order": 1, "commands": {"w\u{435}b-1": command}, "undo": {}}],
        "suspicious": [{
            "path": "/steps/0/commands/w\\u{435}b-1", "code_points": ["U+202E"],
            "tricks": ["direction", "mixed_scripts"], "shown": "rm \\u{202e}gpj.exe",
        }],
    });
    let text = shown(&plan, &(None, None));
    let (warning, commands) = text.split_once("1. ").expect("the step comes last");
    assert!(warning.contains("LOOK CLOSELY: 1 text(s)"), "{text}");
    assert!(warning.contains("U+202E (direction, mixed scripts)"), "{text}");
    assert!(commands.contains("rm \\u{202e}gpj.exe"), "{text}");
    assert!(commands.contains("on w\\u{435}b-1:"), "{text}");
    assert!(text.chars().all(|one| one == '\n' || matches!(one, ' '..='~')), "{text}");
}
