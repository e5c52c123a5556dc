-- Document 003, the decision API.

CREATE VIEW lens_decision.tenants WITH (security_invoker = true) AS
SELECT t.id::text AS id, t.name, t.created_at, t.created_by FROM countersign.tenants t;

-- The key itself is nowhere: its SHA-256 stands for it.
CREATE VIEW lens_decision.api_keys WITH (security_invoker = true) AS
SELECT encode(k.key_hash, 'hex') AS key, k.tenant_id::text AS tenant_id, k.tier, k.created_at,
  k.last_used_at, k.is_active
FROM countersign.api_keys k;

CREATE VIEW lens_decision.usage_logs WITH (security_invoker = true) AS
SELECT l.id, encode(k.key_hash, 'hex') AS api_key, l.tenant_id::text AS tenant_id, l.endpoint,
  l.units, l.period, l.at AS timestamp
FROM countersign.usage_logs l
LEFT JOIN countersign.api_keys k ON k.tenant_id = l.tenant_id AND k.id = l.api_key_id;

CREATE VIEW lens_decision.intents WITH (security_invoker = true) AS
SELECT i.id, i.deterministic_id, i.tenant_id::text AS tenant_id, i.intent_type, i.payload,
  convert_from(i.canonical_payload, 'UTF8')::jsonb AS oss_payload,
  i.environment_class AS environment, i.created_at, i.evaluated_at, risk.score::text AS risk_score
FROM countersign.intents i
LEFT JOIN LATERAL (
  SELECT r.score
  FROM countersign.risk_assessments r
  WHERE r.tenant_id = i.tenant_id AND r.intent_id = i.id
  ORDER BY r.id DESC
  LIMIT 1
) risk ON true;

CREATE VIEW lens_decision.intent_outcomes WITH (security_invoker = true) AS
SELECT o.id, o.intent_id, o.success, a.display_name AS recorded_by, o.notes, o.recorded_at,
  o.idempotency_key
FROM countersign.outcomes o
JOIN countersign.actors a ON a.tenant_id = o.tenant_id AND a.id = o.recorded_by;

CREATE VIEW lens_decision.beta_state WITH (security_invoker = true) AS
SELECT b.id, b.tenant_id::text AS tenant_id, b.category, b.alpha, b.beta, b.updated_at
FROM countersign.beta_state b;

CREATE VIEW lens_decision.decision_audit_log WITH (security_invoker = true) AS
SELECT d.id::text AS id, d.tenant_id::text AS tenant_id, i.deterministic_id,
  d.created_at AS timestamp, r.score AS risk_score,
  CASE d.verdict WHEN 'allow' THEN 'approve' WHEN 'require_approval' THEN 'escalate' ELSE 'deny' END
    AS action,
  coalesce((
    SELECT string_agg(coalesce(reason.value ->> 'message', reason.value #>> '{}'), '; ')
    FROM jsonb_array_elements(d.reasons) AS reason), '') AS justification,
  r.memory_success_rate, r.memory_weight, r.counterfactual, d.trace_id, d.signature
FROM countersign.decisions d
JOIN countersign.intents i ON i.tenant_id = d.tenant_id AND i.id = d.intent_id
JOIN countersign.risk_assessments r ON r.tenant_id = d.tenant_id AND r.id = d.risk_id;

SELECT countersign.open_lens('lens_decision');
