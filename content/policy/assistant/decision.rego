# What may run by itself, what needs approval, and what may not run at all.
#
# Deny outranks everything. A read is allowed to whoever holds a role. A write needs a writing
# role, a known environment class and, in production, few targets; it needs approval in
# production, from tier medium up, account-wide or without a way back. Earned autonomy lifts the
# approval up to tier medium.
package policy.assistant.v1

import rego.v1

environment_classes := {"dev", "test", "staging", "prod"}

writing_roles := {"operator", "admin"}

known_tiers := {"read", "low", "medium", "high", "critical"}

# Production takes no write on more targets than this.
most_production_targets := 10

most_targets := 50

seconds_per_hour := 3600

default decision := "deny"

decision := "deny" if {
	count(denials) > 0
} else := "require_approval" if {
	count(demands) > 0
	not autonomous
} else := "allow" if {
	count(denials) == 0
}

denials contains {"code": "no_role", "message": "only holders of a role may ask for anything"} if {
	count(input.actor.roles) == 0
}

denials contains {"code": "unknown_action_type", "message": "an action either reads or writes"} if {
	not input.action.type in {"read", "write"}
}

denials contains {"code": "unknown_tier", "message": "the risk has no known tier"} if {
	not input.risk.level in known_tiers
}

denials contains {"code": "unknown_environment", "message": message} if {
	not known_environment
	message := sprintf("environment class %q is unknown: map it to dev, test, staging or prod", [input.context.environment])
}

denials contains {"code": "role_may_not_write", "message": "changes need the role operator or admin"} if {
	writes
	count({role | some role in input.actor.roles; role in writing_roles}) == 0
}

denials contains {"code": "too_many_production_targets", "message": message} if {
	writes
	production
	input.risk.targets > most_production_targets
	message := sprintf("%d targets in production: at most %d in one change", [input.risk.targets, most_production_targets])
}

demands contains {"code": "production", "message": "changes in production need approval"} if {
	writes
	production
}

demands contains {"code": "tier", "message": message} if {
	writes
	input.risk.level in {"medium", "high", "critical"}
	message := sprintf("risk tier %s needs approval", [input.risk.level])
}

demands contains {"code": "account_wide", "message": "an account-wide change needs approval"} if {
	writes
	input.risk.blast_radius == "account"
}

demands contains {"code": "irreversible", "message": "a change without a way back needs approval"} if {
	writes
	input.risk.irreversible
}

# Only what is surely a read counts as one.
writes if input.action.type != "read"

production if "prod" in input.context.environments

production if input.context.environment == "prod"

known_environment if {
	input.context.environment in environment_classes
	count({class | some class in input.context.environments; not class in environment_classes}) == 0
}

autonomous if {
	input.autonomy.earned
	input.risk.level in {"low", "medium"}
	input.risk.blast_radius != "account"
	not input.risk.irreversible
}

reasons := [reason | some reason in denials] if decision == "deny"

reasons := [reason | some reason in demands] if decision == "require_approval"

reasons := [{"code": "read", "message": "reads are allowed to every role"}] if {
	decision == "allow"
	not writes
}

reasons := [{"code": "autonomy_earned", "message": message}] if {
	decision == "allow"
	writes
	count(demands) > 0
	message := sprintf("%d verified successes earned running without approval", [input.autonomy.successes])
}

reasons := [{"code": "low_risk", "message": "a reversible change of tier low outside production"}] if {
	decision == "allow"
	writes
	count(demands) == 0
}

approval := {
	"tier": input.risk.level,
	"roles": ["approver", "admin"],
	"min_votes": votes,
	"ttl_s": hours * seconds_per_hour,
} if {
	decision == "require_approval"
}

# In production two people look at what is heavy in itself or cannot be undone. A medium action
# that production alone raised to high needs one.
default votes := 1

votes := 2 if input.risk.level == "critical"

votes := 2 if {
	production
	input.risk.tiers.action in {"high", "critical"}
}

votes := 2 if {
	production
	input.risk.irreversible
}

default hours := 24

hours := 4 if input.action.trigger == "alert"

constraints := {"max_targets": most_production_targets} if {
	writes
	production
}

constraints := {"max_targets": most_targets} if {
	writes
	not production
}

ttl := 300 if not writes
