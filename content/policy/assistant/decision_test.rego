# Tests of the shipped policy: `countersign policy test` runs them.
package policy.assistant.v1_test

import rego.v1

import data.policy.assistant.v1 as policy

restart := {
	"actor": {"id": "act_1", "type": "user", "tenant_id": "ten_1", "roles": ["operator"]},
	"action": {"name": "host.service.restart", "names": ["host.service.restart"], "type": "write", "trigger": "manual"},
	"context": {"tenant_id": "ten_1", "environment": "staging", "environments": ["staging"]},
	"resources": {"break_glass": false, "targets": []},
	"risk": {
		"level": "low",
		"tiers": {"action": "low", "environment": "low", "blast": "low", "score": "low"},
		"targets": 1,
		"blast_radius": "namespace",
		"irreversible": false,
	},
	"autonomy": {"earned": false, "successes": 0, "failures": 0},
	"constraints": {},
	"time": "2026-03-01T10:00:00.000000Z",
}

change(path, value) := json.patch(restart, [{"op": "replace", "path": path, "value": value}])

in_prod := json.patch(restart, [
	{"op": "replace", "path": "/context/environment", "value": "prod"},
	{"op": "replace", "path": "/context/environments", "value": ["prod"]},
	{"op": "replace", "path": "/risk/level", "value": "medium"},
])

test_nothing_is_denied if policy.decision == "deny" with input as {}

test_low_write_outside_production_is_allowed if policy.decision == "allow" with input as restart

test_admin_may_write if policy.decision == "allow" with input as change("/actor/roles", ["admin"])

test_viewer_may_not_write if policy.decision == "deny" with input as change("/actor/roles", ["viewer"])

test_approver_alone_may_not_write if policy.decision == "deny" with input as change("/actor/roles", ["approver"])

test_viewer_may_read if {
	read := json.patch(restart, [
		{"op": "replace", "path": "/actor/roles", "value": ["viewer"]},
		{"op": "replace", "path": "/action/type", "value": "read"},
		{"op": "replace", "path": "/risk/level", "value": "read"},
	])
	policy.decision == "allow" with input as read
	policy.ttl == 300 with input as read
}

test_nobody_may_not_read if {
	read := json.patch(restart, [
		{"op": "replace", "path": "/actor/roles", "value": []},
		{"op": "replace", "path": "/action/type", "value": "read"},
	])
	policy.decision == "deny" with input as read
}

test_unknown_environment_is_denied if {
	moon := json.patch(restart, [
		{"op": "replace", "path": "/context/environment", "value": "moon"},
		{"op": "replace", "path": "/context/environments", "value": ["moon"]},
	])
	policy.decision == "deny" with input as moon
}

test_one_unknown_environment_among_known_ones_is_denied if {
	policy.decision == "deny" with input as change("/context/environments", ["staging", "moon"])
}

test_medium_write_needs_one_vote if {
	medium := change("/risk/level", "medium")
	policy.decision == "require_approval" with input as medium
	policy.approval.min_votes == 1 with input as medium
}

test_production_needs_approval if policy.decision == "require_approval" with input as in_prod

test_a_medium_restart_in_production_needs_one_vote if {
	restarted := json.patch(in_prod, [
		{"op": "replace", "path": "/risk/level", "value": "high"},
		{"op": "replace", "path": "/risk/tiers/action", "value": "medium"},
	])
	policy.approval.min_votes == 1 with input as restarted
}

test_a_high_action_in_production_needs_two_votes if {
	drained := json.patch(in_prod, [
		{"op": "replace", "path": "/risk/level", "value": "critical"},
		{"op": "replace", "path": "/risk/tiers/action", "value": "high"},
	])
	policy.approval.min_votes == 2 with input as drained
}

test_a_high_action_outside_production_needs_one_vote if {
	drained := json.patch(restart, [
		{"op": "replace", "path": "/risk/level", "value": "high"},
		{"op": "replace", "path": "/risk/tiers/action", "value": "high"},
	])
	policy.decision == "require_approval" with input as drained
	policy.approval.min_votes == 1 with input as drained
}

test_production_with_eleven_targets_is_denied if {
	policy.decision == "deny" with input as json.patch(in_prod, [{"op": "replace", "path": "/risk/targets", "value": 11}])
}

test_production_with_ten_targets_needs_approval if {
	policy.decision == "require_approval" with input as json.patch(in_prod, [{"op": "replace", "path": "/risk/targets", "value": 10}])
}

test_account_wide_needs_approval if {
	policy.decision == "require_approval" with input as change("/risk/blast_radius", "account")
}

test_irreversible_needs_approval if {
	policy.decision == "require_approval" with input as change("/risk/irreversible", true)
}

test_irreversible_in_production_needs_two_votes if {
	policy.approval.min_votes == 2 with input as json.patch(in_prod, [{"op": "replace", "path": "/risk/irreversible", "value": true}])
}

test_an_approval_of_an_alert_lives_four_hours if {
	policy.approval.ttl_s == 14400 with input as json.patch(in_prod, [{"op": "replace", "path": "/action/trigger", "value": "alert"}])
}

test_any_other_approval_lives_a_day if policy.approval.ttl_s == 86400 with input as in_prod

test_earned_autonomy_lifts_the_approval_of_tier_medium if {
	earned := json.patch(in_prod, [{"op": "replace", "path": "/autonomy/earned", "value": true}])
	policy.decision == "allow" with input as earned
	policy.reasons[0].code == "autonomy_earned" with input as earned
}

test_earned_autonomy_lifts_nothing_above_tier_medium if {
	policy.decision == "require_approval" with input as json.patch(in_prod, [
		{"op": "replace", "path": "/autonomy/earned", "value": true},
		{"op": "replace", "path": "/risk/level", "value": "high"},
	])
}

test_earned_autonomy_lifts_nothing_irreversible if {
	policy.decision == "require_approval" with input as json.patch(in_prod, [
		{"op": "replace", "path": "/autonomy/earned", "value": true},
		{"op": "replace", "path": "/risk/irreversible", "value": true},
	])
}

test_earned_autonomy_lifts_no_denial if {
	policy.decision == "deny" with input as json.patch(restart, [
		{"op": "replace", "path": "/autonomy/earned", "value": true},
		{"op": "replace", "path": "/actor/roles", "value": ["viewer"]},
	])
}

test_every_decision_has_a_reason if {
	some case in [restart, in_prod, change("/actor/roles", ["viewer"])]
	count(policy.reasons) > 0 with input as case
}

test_production_is_limited_to_ten_targets if policy.constraints.max_targets == 10 with input as in_prod
