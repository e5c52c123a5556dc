//! Where the API shows each object of the documents, and under which names its fields.

/// An object of the documents, and where the API shows it.
pub(super) struct Shown {
    /// System and object, as in the contract.
    pub(super) object: &'static str,
    /// Where its records are: see `World::records`. Empty where the API shows none.
    pub(super) at: &'static str,
    /// The fields of the lens that tell one record from another; `*` is all of them.
    pub(super) key: &'static str,
    /// Where a field is not found under its own name: `theirs=ours`, `theirs=ours>how`, and
    /// `theirs!reason` for one that is not shown. `?` in front of ours: absent is null; `~`: absent
    /// is the default. Ids of the tenant are compared with the tenant's.
    pub(super) fields: &'static str,
    /// The lens shows records besides those the API lists here.
    pub(super) some: bool,
}

const fn shown(
    object: &'static str,
    at: &'static str,
    key: &'static str,
    fields: &'static str,
) -> Shown {
    Shown { object, at, key, fields, some: false }
}

const fn some(
    object: &'static str,
    at: &'static str,
    key: &'static str,
    fields: &'static str,
) -> Shown {
    Shown { object, at, key, fields, some: true }
}

/// Why a field is not shown.
pub(super) const NOT_SHOWN: &[(&str, &str)] = &[
    ("secret", "it is sealed, or a hash of a secret: it leaves by the lens of an operator alone"),
    ("place", "it is known by what it belongs to and its place or name there"),
    ("deployment", "it is the deployment's and no tenant's"),
    ("winrm", "nothing connects by WinRM yet"),
    ("unwritten", "nothing writes it yet"),
    ("elsewhere", "another object of the documents shows the same, and is compared there"),
    ("log", "the audit log says who did it and when"),
    ("moves", "it moves with every request"),
    ("raw", "the notice as it came is kept for evidence; what was read of it is shown"),
    ("leaf", "it is the leaf's hash, which the event's proof is made of"),
    ("lacking", "the API has yet to show it"),
];

/// Every object of the contract.
pub(super) const SHOWN: &[Shown] = &[
    shown("governance tenants", "/tenant", "id", ""),
    shown("governance users", "/users", "id", "upn=email>upn role=roles>role_of_governance"),
    shown("governance resources", "/resources", "id", "id=external_id"),
    shown("governance policies", "/provider-policies", "id", "id=external_id"),
    shown(
        "governance violations",
        "/findings/*/detail",
        "id",
        "id=^.id policy_id=violation.policy_id.*.external_id
         resource_id=^.resource_id.*.external_id severity=^.severity reason=^.reason
         first_seen=^.first_seen last_seen=^.last_seen status=^.status>status_of_violation",
    ),
    shown("governance recommendations", "/recommendations", "id", ""),
    shown(
        "governance actions",
        "/executions/*",
        "id",
        "id=intent_id type=intent_id.*.type requested_by=initiated_by>person
         resource_id=plan_id.*.document.targets.0.resource_id.*.external_id
         status=state>state_of_governance params=intent_id.*.payload>params
         result=evidence>result created_at=intent_id.*.created_at updated_at!lacking",
    ),
    some(
        "governance action_events",
        "/executions/*/events",
        "id action_id",
        "id=seq action_id=^.intent_id message=data.message",
    ),
    shown(
        "governance exceptions",
        "/exceptions",
        "id",
        "policy_id=policy_id.*.external_id resource_id=resource_id.*.external_id
         created_by=created_by>person",
    ),
    shown(
        "governance audits",
        "/audit/events",
        "id",
        "actor=event.actor.display_name action=event.action target_id=event.target.id
         target_type=event.target.type payload=event.context created_at=event.occurred_at",
    ),
    shown(
        "governance cost_timeseries",
        "/costs",
        "service day",
        "resource_id=resource_id.*.external_id",
    ),
    shown("governance schema_version", "", "", "version!deployment applied_at!deployment"),
    shown("driftguard organizations", "/tenant", "id", ""),
    shown("driftguard environments", "/environments", "id", ""),
    shown("driftguard iac_repositories", "/iac-repositories", "id", "credentials_encrypted!secret"),
    shown("driftguard iac_resources", "/iac-resources", "id", "resource_id=address"),
    shown(
        "driftguard drift_events",
        "/findings/*/detail",
        "id",
        "id=^.id environment_id=^.environment_id iac_resource_id=drift.iac_resource_id
         drift_type=drift.drift_type actual_state=drift.actual_state
         declared_state=drift.declared_state detected_at=^.first_seen resolved_at=^.resolved_at
         resolution_type=^.resolution_type severity_score=^.severity_score
         confidence_score=^.confidence_score risk_assessment=drift.risk_assessment
         tags=drift.tags metadata=drift.metadata",
    ),
    shown(
        "driftguard drift_changes",
        "/findings/*/detail#drift.changes",
        "drift_event_id property_path",
        "drift_event_id=^.^.id id!place",
    ),
    shown("driftguard ml_models", "/models", "id", ""),
    shown("driftguard ml_predictions", "/predictions", "id", "drift_event_id=finding_id"),
    shown(
        "driftguard drift_cause_analysis",
        "/cause-analyses",
        "id",
        "drift_event_id=finding_id cause_category=cause_category>cause",
    ),
    shown(
        "driftguard recommendations",
        "/recommendations",
        "id",
        "drift_event_id=finding_id confidence_score=confidence",
    ),
    shown(
        "driftguard correlation_events",
        "/correlations",
        "id",
        "drift_event_id=finding_id temporal_offset=temporal_offset>span",
    ),
    shown(
        "driftguard operational_context",
        "/operational-contexts",
        "id",
        "drift_event_id=finding_id time_window=time_window>span",
    ),
    shown(
        "driftguard audit_log",
        "/audit/events",
        "id",
        "id=seq timestamp=event.occurred_at user_id=event.actor.id>person action=event.action
         resource_type=event.target.type resource_id=event.target.id
         old_values=?event.context.old_values new_values=?event.context.new_values
         ip_address=?event.ip_address user_agent=?event.user_agent session_id=?event.session_id
         success=event.success error_message=?event.error",
    ),
    shown("driftguard user_sessions", "/sessions", "id", ""),
    shown("driftguard notification_channels", "/notification-channels", "id", ""),
    shown("driftguard notifications", "/notifications", "id", "drift_event_id=finding_id"),
    shown(
        "driftguard drift_metrics_daily",
        "/drift-metrics",
        "id",
        "avg_resolution_time=avg_resolution_time>span",
    ),
    shown("driftguard ml_performance_metrics", "/model-performance", "id", ""),
    shown(
        "aiops users",
        "/users",
        "id",
        "password_hash!secret role=roles>role_of_aiops default_llm_provider_id!unwritten",
    ),
    shown(
        "aiops system_config",
        "/settings",
        "key",
        "value_json=value updated_by=updated_by>person",
    ),
    shown(
        "aiops audit_log",
        "/audit/events",
        "id",
        "user_id=event.actor.id>person action=event.action resource_type=event.target.type
         resource_id=event.target.id>uuid details_json=event.context ip_address=?event.ip_address
         created_at=event.occurred_at",
    ),
    shown(
        "aiops server_credentials",
        "/resources/*/connections",
        "id",
        "name=^.name hostname=host os_type=^.os_type protocol=transport
         auth_type=credential_id>auth_type ssh_key_encrypted!secret password_encrypted!secret
         winrm_transport!winrm winrm_use_ssl!winrm winrm_cert_validation!winrm domain!winrm
         environment=^.environment_id.*.class>long_class tags=^.tags
         last_connection_test!lacking last_connection_status!lacking created_by!log
         created_at!log",
    ),
    shown(
        "aiops terminal_sessions",
        "/terminal-sessions",
        "id",
        "server_credential_id=connection_id alert_id=finding_id",
    ),
    shown(
        "aiops alerts",
        "/alerts",
        "id",
        "timestamp=received_at severity=severity_raw status=source_status labels_json=labels
         annotations_json=annotations raw_alert_json!raw ai_analysis=id>analysis
         recommendations_json=id>recommendations",
    ),
    shown("aiops auto_analyze_rules", "/alert-rules", "id", ""),
    shown(
        "aiops llm_providers",
        "/llm-providers",
        "id",
        "api_key_encrypted!secret config_json=config",
    ),
    shown("aiops chat_sessions", "/chat-sessions", "id", "alert_id=finding_id"),
    shown("aiops chat_messages", "/chat-sessions/*/messages", "id", "session_id=^.id"),
    shown(
        "aiops runbooks",
        "/runbooks/*",
        "id",
        "name=document.name description=~document.description category=~document.category
         mode=~document.mode status=~document.status target_os=~document.target_os
         timeout_seconds=~document.timeout_seconds max_retries=~document.max_retries
         retry_delay_seconds=~document.retry_delay_seconds
         rate_limit_count=~document.rate_limit_count
         rate_limit_window_seconds=~document.rate_limit_window_seconds
         requires_approval=~document.requires_approval approval_roles=~document.approval_roles
         allowed_servers=~document.allowed_servers environment_vars=~document.environment_vars
         config=~document.config created_by!elsewhere",
    ),
    shown(
        "aiops runbook_steps",
        "/runbooks/*#document.steps",
        "runbook_id step_order",
        "id!place runbook_id=^.id step_order=@ description=~description
         expected_exit_codes=~expected_exit_codes timeout_seconds=~timeout_seconds
         continue_on_failure=~continue_on_failure condition=?condition
         rollback_command=?rollback_command retry_count=~retry_count
         retry_delay_seconds=~retry_delay_seconds capture_output=~capture_output
         sensitive=~sensitive",
    ),
    shown(
        "aiops runbook_triggers",
        "/runbooks/*#document.triggers",
        "runbook_id name",
        "id!place runbook_id=^.id priority=~priority severity_pattern=~severity_pattern
         source_pattern=~source_pattern labels_match=~labels_match
         time_window_start=?time_window_start time_window_end=?time_window_end enabled=~enabled
         cooldown_seconds=~cooldown_seconds last_triggered_at!lacking",
    ),
    shown(
        "aiops runbook_versions",
        "/runbooks/*/versions",
        "runbook_id version",
        "id!place runbook_id=^.id yaml_content=yaml created_by=created_by>person",
    ),
    shown(
        "aiops runbook_executions",
        "/executions/*",
        "id",
        "server_id=plan_id.*.document.targets.0.connection_id alert_id=finding_id
         status=state>state_of_aiops initiated_by=initiated_by>person
         approved_by=approval_id.*.votes>voter approved_at=approval_id.*.decided_at
         output_summary!unwritten context_vars!elsewhere execution_log!elsewhere",
    ),
    shown(
        "aiops step_executions",
        "/executions/*?preview=true#steps",
        "id",
        "execution_id=^.id step_id!place step_order=order step_name=name
         status=state>state_of_step",
    ),
    shown("aiops circuit_breakers", "/circuit-breakers", "id", "runbook_id=scope_id"),
    shown("aiops blackout_windows", "/blackout-windows", "id", "created_by!log created_at!log"),
    shown("arf tenants", "/tenant", "id", ""),
    shown("arf api_keys", "/api-keys", "created_at", "key!secret last_used_at!moves"),
    shown(
        "arf intents",
        "/intents/*",
        "id",
        "intent_type=type oss_payload=payload environment=environment_class
         evaluated_at=decision_id.*.record.decided_at risk_score=decision_id.*.risk_score",
    ),
    shown("arf intent_outcomes", "/outcomes", "id", "recorded_by=recorded_by>name"),
    shown(
        "arf beta_state",
        "/beliefs",
        "category",
        "id!place alpha=alpha>with_failures beta=beta>with_successes",
    ),
    shown(
        "arf decision_audit_log",
        "/decisions/*",
        "id",
        "timestamp=created_at justification=reasons>justification
         memory_success_rate=components.memory_success_rate
         memory_weight=components.memory_weight",
    ),
    shown(
        "carapulse plans",
        "/executions/*",
        "plan_id",
        "created_at=plan_id.*.created_at trigger=intent_id.*.trigger summary=plan_id.*.summary
         context_json=intent_id.*>context risk_level=decision_id.*.tier>three_levels
         intent=intent_id.*.intent constraints_json=intent_id.*.constraints plan_text!unwritten",
    ),
    shown(
        "carapulse plan_steps",
        "/executions/*#plan_id.*.document.steps",
        "plan_id action",
        "step_id!place plan_id=^.plan_id tool=action>tool input_json=scripts
         preconditions_json=?condition>preconditions rollback_json=?undo>rollback",
    ),
    shown(
        "carapulse executions",
        "/executions",
        "execution_id",
        "execution_id=id status=state>state_of_assistant",
    ),
    shown(
        "carapulse tool_calls",
        "/executions/*#tool_calls",
        "tool_call_id",
        "tool_call_id=id execution_id=^.id",
    ),
    shown(
        "carapulse evidence",
        "/executions/*#evidence",
        "evidence_id",
        "evidence_id=id execution_id=^.id",
    ),
    shown(
        "carapulse approvals",
        "/approvals",
        "approval_id",
        "approval_id=id status=status>void_is_expired approver_json=votes>approver
         source=source>door",
    ),
    shown(
        "carapulse audit_events",
        "/audit/events",
        "event_id",
        "event_id=id occurred_at=event.occurred_at actor_json.id=event.actor.id
         actor_json.type=event.actor.type actor_json.display_name=event.actor.display_name
         action=event.action decision=?event.decision
         context_json.tenant_id=event.tenant_id evidence_refs_json=event.evidence_refs
         hash!leaf",
    ),
    shown("carapulse context_nodes", "/resources", "node_id", "node_id=id labels_json=tags"),
    shown(
        "carapulse context_edges",
        "/resource-edges",
        "edge_id",
        "edge_id=id from_node_id=from_id to_node_id=to_id",
    ),
    some(
        "carapulse Actor",
        "/users",
        "id",
        "id=actor_id type=id>user display_name=full_name>called",
    ),
    shown(
        "carapulse ContextRef",
        "/environments",
        "*",
        "environment=class>stage aws_account_id=account_id",
    ),
    shown("carapulse ResourceRef", "/resources", "id", "id=external_id labels=tags"),
    shown(
        "carapulse Plan",
        "/executions/*",
        "plan_id",
        "created_at=plan_id.*.created_at trigger=intent_id.*.trigger summary=plan_id.*.summary
         intent=intent_id.*.intent context=intent_id.*>context
         risk_level=decision_id.*.tier>three_levels constraints=intent_id.*.constraints
         plan_text!unwritten steps!elsewhere approvals!elsewhere",
    ),
    shown(
        "carapulse PlanStep",
        "/executions/*#plan_id.*.document.steps",
        "action input",
        "step_id!place tool=action>tool input=scripts preconditions=?condition>preconditions
         rollback=?undo>rollback evidence_required=?evidence>not_logs",
    ),
    shown(
        "carapulse Execution",
        "/executions/*",
        "execution_id",
        "execution_id=id status=state>state_of_assistant tool_calls!elsewhere",
    ),
    shown("carapulse ToolCall", "/executions/*#tool_calls", "tool_call_id", "tool_call_id=id"),
    shown("carapulse Evidence", "/executions/*#evidence", "evidence_id", "evidence_id=id"),
    shown(
        "carapulse Approval",
        "/approvals",
        "approval_id",
        "approval_id=id status=status>void_is_expired approver=votes>approver source=source>door",
    ),
    shown(
        "carapulse AuditEvent",
        "/audit/events",
        "event_id",
        "event_id=id occurred_at=event.occurred_at actor.id=event.actor.id
         actor.type=event.actor.type actor.display_name=event.actor.display_name
         action=event.action decision=?event.decision context.tenant_id=event.tenant_id
         evidence_refs=event.evidence_refs hash!leaf",
    ),
    shown(
        "carapulse RiskScore",
        "/decisions/*",
        "*",
        "level=tier>three_levels reasons=record.risk.assessment.reasons>messages
         blast_radius=plan_id.*.blast_radius.scope>scope",
    ),
    shown(
        "carapulse ApprovalRequirement",
        "/decisions/*",
        "*",
        "tier=approval.tier>two_tiers approvers=approval.roles ttl_hours=approval.ttl_s>hours",
    ),
    shown(
        "carapulse RollbackSpec",
        "/executions/*#plan_id.*.steps",
        "*",
        "type=undo>custom steps=undo>texts",
    ),
    shown(
        "carapulse EvidenceRequirement",
        "/executions/*#plan_id.*.document.steps#evidence",
        "*",
        "",
    ),
    shown("carapulse Service", "/services", "service_id", "service_id=id"),
    shown(
        "carapulse ArtifactRef",
        "/executions/*#evidence + /executions/*#tool_calls + /iac-repositories",
        "*",
        "kind=id>artifact_kind ref=id>artifact_ref sha=id>artifact_sha",
    ),
];
