-- Document 001, cloud governance.

CREATE VIEW lens_governance.tenants WITH (security_invoker = true) AS
SELECT t.id, t.name, t.created_at FROM countersign.tenants t;

-- The one role of document 001: the furthest-reaching of a person's.
CREATE VIEW lens_governance.users WITH (security_invoker = true) AS
SELECT u.id, u.tenant_id, coalesce(u.upn, u.email, u.username) AS upn,
  CASE WHEN 'admin' = ANY (a.roles) THEN 'admin' WHEN 'approver' = ANY (a.roles) THEN 'approver'
    WHEN 'operator' = ANY (a.roles) THEN 'operator' ELSE 'viewer' END AS role,
  u.created_at
FROM countersign.users u
JOIN countersign.actors a ON a.tenant_id = u.tenant_id AND a.id = u.actor_id;

CREATE VIEW lens_governance.resources WITH (security_invoker = true) AS
SELECT r.external_id AS id, r.tenant_id, r.provider, r.type, r.name, r.group_name, r.location,
  r.tags, r.status, r.created_at, r.updated_at
FROM countersign.resources r
WHERE r.provider IN ('azure', 'aws', 'gcp', 'ibm');

CREATE VIEW lens_governance.policies WITH (security_invoker = true) AS
SELECT p.external_id AS id, p.tenant_id, p.name, p.provider, p.type, p.effect, p.scope, p.status,
  p.metadata, p.created_at, p.updated_at
FROM countersign.policies p;

CREATE VIEW lens_governance.violations WITH (security_invoker = true) AS
SELECT f.id, f.tenant_id, p.external_id AS policy_id, r.external_id AS resource_id,
  f.severity::countersign.severity AS severity, f.reason, f.first_seen, f.last_seen,
  CASE f.status WHEN 'accepted' THEN 'suppressed' WHEN 'escalated' THEN 'open' ELSE f.status END
    AS status
FROM countersign.violations v
JOIN countersign.findings f ON f.tenant_id = v.tenant_id AND f.id = v.finding_id
LEFT JOIN countersign.policies p ON p.tenant_id = v.tenant_id AND p.id = v.policy_id
LEFT JOIN countersign.resources r ON r.tenant_id = f.tenant_id AND r.id = f.resource_id;

CREATE VIEW lens_governance.recommendations WITH (security_invoker = true) AS
SELECT r.id, r.tenant_id, r.kind, r.severity::countersign.severity AS severity, r.title,
  r.description, r.savings, r.risk_reduction, r.confidence::numeric AS confidence, r.created_at
FROM countersign.recommendations r
WHERE r.kind IN ('cost_optimization', 'compliance', 'security', 'rightsizing');

-- An action is an intent with the newest of its executions. Whether it waits for people comes from
-- the gate, not from whoever asked.
CREATE VIEW lens_governance.actions WITH (security_invoker = true) AS
SELECT i.id, i.tenant_id, i.intent_type AS type, target.external_id AS resource_id,
  u.id AS requested_by,
  countersign.execution_word(
    coalesce(e.state, CASE i.status WHEN 'denied' THEN 'denied' WHEN 'open' THEN 'preflight'
      WHEN 'succeeded' THEN 'completed' ELSE 'failed' END), 'governance') AS status,
  i.payload || jsonb_build_object('requires_approval',
    coalesce(e.state = 'awaiting_approval', false)) AS params,
  CASE WHEN e.completed_at IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object(
    'state', e.state, 'error', e.error_message, 'summary', e.output_summary,
    'evidence', (
      SELECT jsonb_agg(jsonb_build_object(
        'path', v.result_ref, 'checksum', encode(v.sha256, 'hex')) ORDER BY v.id)
      FROM countersign.evidence v
      WHERE v.tenant_id = e.tenant_id AND v.execution_id = e.id))) END AS result,
  i.created_at, greatest(i.updated_at, e.created_at, e.started_at, e.completed_at) AS updated_at
FROM countersign.intents i
LEFT JOIN LATERAL (
  SELECT x.tenant_id, x.id, x.plan_id, x.state, x.error_message, x.output_summary, x.created_at,
    x.started_at, x.completed_at
  FROM countersign.executions x
  WHERE x.tenant_id = i.tenant_id AND x.intent_id = i.id
  ORDER BY x.id DESC
  LIMIT 1
) e ON true
LEFT JOIN countersign.plans p ON p.tenant_id = e.tenant_id AND p.id = e.plan_id
LEFT JOIN countersign.resources target ON target.tenant_id = i.tenant_id
  AND target.id = countersign.bare_id(
    convert_from(p.document, 'UTF8')::jsonb #>> '{targets,0,resource_id}')
LEFT JOIN countersign.users u
  ON u.tenant_id = i.tenant_id AND u.actor_id = i.requester_actor_id;

-- The number is the event's place within its execution.
CREATE VIEW lens_governance.action_events WITH (security_invoker = true) AS
SELECT v.seq AS id, e.intent_id AS action_id, v.ts, v.message
FROM countersign.execution_events v
JOIN countersign.executions e ON e.tenant_id = v.tenant_id AND e.id = v.execution_id;

CREATE VIEW lens_governance.exceptions WITH (security_invoker = true) AS
SELECT x.id, x.tenant_id, p.external_id AS policy_id, r.external_id AS resource_id, x.reason,
  x.expires_at, u.id AS created_by, x.status, x.created_at
FROM countersign.exceptions x
LEFT JOIN countersign.policies p ON p.tenant_id = x.tenant_id AND p.id = x.policy_id
LEFT JOIN countersign.resources r ON r.tenant_id = x.tenant_id AND r.id = x.resource_id
LEFT JOIN countersign.users u ON u.tenant_id = x.tenant_id AND u.actor_id = x.created_by;

CREATE VIEW lens_governance.audits WITH (security_invoker = true) AS
SELECT a.id, a.tenant_id, document #>> '{actor,display_name}' AS actor, a.action, a.target_id,
  a.target_type, coalesce(document -> 'context', '{}') AS payload, a.occurred_at AS created_at
FROM countersign.audit_events a
CROSS JOIN LATERAL (SELECT convert_from(a.canon, 'UTF8')::jsonb AS document) event;

CREATE VIEW lens_governance.cost_timeseries WITH (security_invoker = true) AS
SELECT c.tenant_id, c.service, r.external_id AS resource_id, c.day, c.amount
FROM countersign.cost_timeseries c
LEFT JOIN countersign.resources r ON r.tenant_id = c.tenant_id AND r.id = c.resource_id;

CREATE VIEW lens_governance.schema_version WITH (security_invoker = true) AS
SELECT v.version::text AS version, v.applied_at FROM countersign.schema_version v;

-- The envelope of document 001's queues.
CREATE VIEW lens_governance.queue_messages WITH (security_invoker = true) AS
SELECT j.id, j.tenant_id, j.type, j.params, j.idempotency_key, j.created_at
FROM countersign.jobs j;

SELECT countersign.open_lens('lens_governance');
