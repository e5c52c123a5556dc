-- Document 002, AIOps with auto-remediation.

CREATE TYPE lens_aiops.execution_mode AS ENUM ('auto', 'semi_auto', 'manual');
CREATE TYPE lens_aiops.runbook_status AS ENUM ('active', 'disabled', 'draft');
CREATE TYPE lens_aiops.execution_status AS ENUM (
  'pending', 'approved', 'running', 'completed', 'failed', 'cancelled', 'timeout');
CREATE TYPE lens_aiops.circuit_state AS ENUM ('closed', 'open', 'half_open');
CREATE TYPE lens_aiops.os_type AS ENUM ('linux', 'windows');

CREATE VIEW lens_aiops.users WITH (security_invoker = true) AS
SELECT u.id, u.username, u.email, u.full_name, u.password_hash,
  CASE WHEN 'admin' = ANY (a.roles) THEN 'admin'
    WHEN a.roles && ARRAY['operator', 'approver'] THEN 'engineer' ELSE 'user' END AS role,
  u.default_llm_provider_id, u.is_active, u.created_at, u.last_login
FROM countersign.users u
JOIN countersign.actors a ON a.tenant_id = u.tenant_id AND a.id = u.actor_id;

CREATE VIEW lens_aiops.system_config WITH (security_invoker = true) AS
SELECT c.key, c.value AS value_json, c.updated_at, u.id AS updated_by
FROM countersign.system_config c
LEFT JOIN countersign.users u ON u.tenant_id = c.tenant_id AND u.actor_id = c.updated_by;

CREATE VIEW lens_aiops.audit_log WITH (security_invoker = true) AS
SELECT a.id, u.id AS user_id, a.action, a.target_type AS resource_type,
  countersign.bare_id(a.target_id) AS resource_id,
  coalesce(document -> 'context', '{}') AS details_json,
  document ->> 'ip_address' AS ip_address, a.occurred_at AS created_at
FROM countersign.audit_events a
CROSS JOIN LATERAL (SELECT convert_from(a.canon, 'UTF8')::jsonb AS document) event
LEFT JOIN countersign.users u ON u.tenant_id = a.tenant_id AND u.actor_id = a.actor_id;

-- One row a way to reach a server. The secrets are shown as they are stored: sealed.
CREATE VIEW lens_aiops.server_credentials WITH (security_invoker = true) AS
SELECT c.id, r.name, c.host AS hostname, c.port, c.username, r.os_type, c.transport AS protocol,
  CASE k.kind WHEN 'ssh_key' THEN 'key' WHEN 'password' THEN 'password' END AS auth_type,
  CASE k.kind WHEN 'ssh_key' THEN encode(k.ciphertext, 'base64') END AS ssh_key_encrypted,
  CASE k.kind WHEN 'password' THEN encode(k.ciphertext, 'base64') END AS password_encrypted,
  c.winrm_transport, c.winrm_use_ssl, c.winrm_cert_validation, c.domain,
  CASE e.class WHEN 'prod' THEN 'production' ELSE e.class END AS environment, r.tags,
  c.last_connection_test, c.last_connection_status, u.id AS created_by, c.created_at
FROM countersign.connections c
JOIN countersign.resources r ON r.tenant_id = c.tenant_id AND r.id = c.resource_id
JOIN countersign.environments e ON e.tenant_id = r.tenant_id AND e.id = r.environment_id
LEFT JOIN countersign.credentials k ON k.tenant_id = c.tenant_id AND k.id = c.credential_id
LEFT JOIN countersign.users u ON u.tenant_id = c.tenant_id AND u.actor_id = c.created_by;

CREATE VIEW lens_aiops.terminal_sessions WITH (security_invoker = true) AS
SELECT t.id, t.user_id, t.connection_id AS server_credential_id, t.finding_id AS alert_id,
  t.started_at, t.ended_at, t.recording_path
FROM countersign.terminal_sessions t;

CREATE VIEW lens_aiops.alerts WITH (security_invoker = true) AS
SELECT f.id, f.fingerprint, a.received_at AS timestamp, a.alert_name,
  coalesce(nullif(f.severity_raw, ''), f.severity) AS severity, a.instance, a.job,
  a.source_status AS status, a.labels_json, a.annotations_json, a.raw_alert_json,
  a.matched_rule_id, a.action_taken, a.analyzed, a.analyzed_at, c.analysis AS ai_analysis,
  coalesce(a.recommendations_json, (
    SELECT jsonb_agg(jsonb_build_object(
      'title', r.title, 'description', r.description, 'confidence', r.confidence) ORDER BY r.id)
    FROM countersign.recommendations r
    WHERE r.tenant_id = f.tenant_id AND r.finding_id = f.id)) AS recommendations_json
FROM countersign.alerts a
JOIN countersign.findings f ON f.tenant_id = a.tenant_id AND f.id = a.finding_id
LEFT JOIN countersign.cause_analyses c ON c.tenant_id = f.tenant_id AND c.finding_id = f.id;

CREATE VIEW lens_aiops.auto_analyze_rules WITH (security_invoker = true) AS
SELECT r.id, r.name, r.priority, r.alert_name_pattern, r.severity_pattern, r.action, r.enabled
FROM countersign.alert_rules r;

CREATE VIEW lens_aiops.llm_providers WITH (security_invoker = true) AS
SELECT p.id, p.name, p.provider_type, p.model_id,
  encode(k.ciphertext, 'base64') AS api_key_encrypted, p.is_default, p.config AS config_json
FROM countersign.llm_providers p
LEFT JOIN countersign.credentials k ON k.tenant_id = p.tenant_id AND k.id = p.credential_id;

CREATE VIEW lens_aiops.chat_sessions WITH (security_invoker = true) AS
SELECT s.id, s.user_id, s.finding_id AS alert_id, s.title, s.llm_provider_id
FROM countersign.chat_sessions s;

CREATE VIEW lens_aiops.chat_messages WITH (security_invoker = true) AS
SELECT m.id, m.session_id, m.role, m.content, m.tokens_used, m.created_at
FROM countersign.chat_messages m;

CREATE VIEW lens_aiops.runbooks WITH (security_invoker = true) AS
SELECT r.id, r.name, r.description, r.category, r.mode::lens_aiops.execution_mode AS mode,
  r.status::lens_aiops.runbook_status AS status, r.target_os::lens_aiops.os_type AS target_os,
  r.version, r.timeout_seconds, r.max_retries, r.retry_delay_seconds, r.rate_limit_count,
  r.rate_limit_window_seconds, r.requires_approval, r.approval_roles, r.allowed_servers,
  r.environment_vars, r.config, u.id AS created_by, r.created_at, r.updated_at
FROM countersign.runbooks r
LEFT JOIN countersign.users u ON u.tenant_id = r.tenant_id AND u.actor_id = r.created_by;

CREATE VIEW lens_aiops.runbook_steps WITH (security_invoker = true) AS
SELECT s.id, s.runbook_id, s.step_order, s.name, s.description, s.command, s.expected_exit_codes,
  s.timeout_seconds, s.continue_on_failure, s.condition, s.rollback_command, s.retry_count,
  s.retry_delay_seconds, s.capture_output, s.sensitive
FROM countersign.runbook_steps s;

CREATE VIEW lens_aiops.runbook_triggers WITH (security_invoker = true) AS
SELECT t.id, t.runbook_id, t.name, t.priority, t.alert_name_pattern, t.severity_pattern,
  t.source_pattern, t.labels_match, t.time_window_start, t.time_window_end, t.enabled,
  t.cooldown_seconds, t.last_triggered_at
FROM countersign.runbook_triggers t;

CREATE VIEW lens_aiops.runbook_versions WITH (security_invoker = true) AS
SELECT v.id, v.runbook_id, v.version, v.yaml_content, v.change_summary, u.id AS created_by,
  v.created_at
FROM countersign.runbook_versions v
LEFT JOIN countersign.users u ON u.tenant_id = v.tenant_id AND u.actor_id = v.created_by;

-- The one approver of document 002 is the last whose vote made it approved.
CREATE VIEW lens_aiops.runbook_executions WITH (security_invoker = true) AS
SELECT e.id, e.runbook_id, e.runbook_version,
  countersign.bare_id(convert_from(p.document, 'UTF8')::jsonb #>> '{targets,0,connection_id}')
    AS server_id,
  e.finding_id AS alert_id, e.trigger_id,
  countersign.execution_word(e.state, 'aiops')::lens_aiops.execution_status AS status,
  e.mode::lens_aiops.execution_mode AS mode, e.started_at, e.completed_at, e.duration_ms,
  starter.id AS initiated_by, vote.user_id AS approved_by,
  CASE WHEN a.status = 'approved' THEN a.decided_at END AS approved_at,
  e.error_message, e.output_summary, e.context_vars,
  (SELECT jsonb_agg(jsonb_build_object(
     'seq', v.seq, 'ts', v.ts, 'kind', v.kind, 'message', v.message) ORDER BY v.seq)
   FROM countersign.execution_events v
   WHERE v.tenant_id = e.tenant_id AND v.execution_id = e.id) AS execution_log
FROM countersign.executions e
JOIN countersign.plans p ON p.tenant_id = e.tenant_id AND p.id = e.plan_id
LEFT JOIN countersign.users starter
  ON starter.tenant_id = e.tenant_id AND starter.actor_id = e.initiated_by
LEFT JOIN countersign.approvals a ON a.tenant_id = e.tenant_id AND a.id = e.approval_id
LEFT JOIN LATERAL (
  SELECT u.id AS user_id
  FROM countersign.approval_votes v
  JOIN countersign.users u ON u.tenant_id = v.tenant_id AND u.actor_id = v.actor_id
  WHERE v.tenant_id = a.tenant_id AND v.approval_id = a.id AND v.decision = 'approve'
    AND a.status = 'approved'
  ORDER BY v.created_at DESC, v.id DESC
  LIMIT 1
) vote ON true;

CREATE VIEW lens_aiops.step_executions WITH (security_invoker = true) AS
SELECT s.id, s.execution_id, step.id AS step_id, s.step_order, s.step_name,
  (CASE WHEN s.state IN ('pending', 'running', 'failed', 'cancelled') THEN s.state
    WHEN s.state = 'succeeded' THEN 'completed' WHEN s.state = 'skipped' THEN 'cancelled'
    WHEN s.state = 'timed_out' THEN 'timeout' ELSE 'failed' END
  )::lens_aiops.execution_status AS status,
  s.started_at, s.completed_at, s.duration_ms, s.exit_code, s.stdout, s.stderr, s.retry_attempt
FROM countersign.step_runs s
JOIN countersign.executions e ON e.tenant_id = s.tenant_id AND e.id = s.execution_id
-- The runbook may have changed since: a step that is there no more leaves its name and place.
LEFT JOIN countersign.runbook_steps step ON step.tenant_id = e.tenant_id
  AND step.runbook_id = e.runbook_id AND step.step_order = s.step_order AND step.name = s.step_name;

CREATE VIEW lens_aiops.circuit_breakers WITH (security_invoker = true) AS
SELECT b.id, countersign.bare_id(b.scope_id) AS runbook_id,
  b.state::lens_aiops.circuit_state AS state, b.failure_count, b.success_count, b.last_failure_at,
  b.opened_at, b.half_open_at, b.failure_threshold, b.success_threshold, b.reset_timeout_seconds,
  b.updated_at
FROM countersign.circuit_breakers b
WHERE b.scope = 'runbook';

CREATE VIEW lens_aiops.blackout_windows WITH (security_invoker = true) AS
SELECT b.id, b.name, b.description, b.start_time, b.end_time, b.recurrence, b.recurrence_pattern,
  b.affected_servers, b.affected_runbooks, u.id AS created_by, b.created_at, b.enabled
FROM countersign.blackout_windows b
LEFT JOIN countersign.users u ON u.tenant_id = b.tenant_id AND u.actor_id = b.created_by
WHERE b.kind = 'deny';

CREATE VIEW lens_aiops.execution_stats WITH (security_invoker = true) AS
SELECT s.runbook_id, s.runbook_name, s.total_executions, s.successful, s.failed,
  s.avg_duration_ms, s.last_execution
FROM countersign.execution_stats s;

SELECT countersign.open_lens('lens_aiops');
