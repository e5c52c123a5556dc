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
