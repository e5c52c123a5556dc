-- Document 000, the operations assistant: its tables, and its objects as documents.

-- The functions below see with their caller's eyes, like the views that use them.

CREATE FUNCTION countersign.actor_document(tenant uuid, actor uuid)
RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT jsonb_build_object('id', a.id::text, 'type', a.type, 'roles', to_jsonb(a.roles),
    'tenant_id', a.tenant_id::text, 'display_name', a.display_name)
  FROM countersign.actors a
  WHERE a.tenant_id = tenant AND a.id = actor
$$;

-- Where something happens: an environment, or a class of them when it is no one of them.
CREATE FUNCTION countersign.context_document(tenant uuid, environment uuid, class text)
RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT jsonb_build_object('tenant_id', tenant::text,
    'environment', countersign.stage_word(coalesce(e.class, context_document.class)),
    'cluster_id', e.cluster_id, 'namespace', e.namespace, 'aws_account_id', e.account_id,
    'region', e.region, 'argocd_project', e.argocd_project, 'grafana_org_id', e.grafana_org_id)
  FROM (SELECT 1) here
  LEFT JOIN countersign.environments e ON e.tenant_id = tenant AND e.id = environment
$$;

-- Document 000 knows three kinds of undoing; a script of a runbook is a custom one.
CREATE FUNCTION countersign.rollback_document(undo jsonb)
RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
  SELECT jsonb_build_object('type', 'custom', 'steps', coalesce(
    jsonb_agg(countersign.script_text(script.value) ORDER BY script.key), '[]'))
  FROM jsonb_each(undo) AS script
$$;

CREATE FUNCTION countersign.plan_step_document(step countersign.plan_steps)
RETURNS jsonb LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
  SELECT jsonb_build_object('step_id', step.id::text, 'action', step.action, 'tool', step.tool,
    'input', step.input,
    'preconditions', (
      SELECT coalesce(
        jsonb_agg(coalesce(p.value ->> 'condition', p.value #>> '{}') ORDER BY p.n), '[]')
      FROM jsonb_array_elements(step.preconditions) WITH ORDINALITY AS p (value, n)),
    'rollback', countersign.rollback_document(step.rollback),
    'evidence_required', (
      SELECT coalesce(jsonb_agg(e.value ORDER BY e.n) FILTER (WHERE e.value ->> 'type' <> 'log'), '[]')
      FROM jsonb_array_elements(step.evidence_required) WITH ORDINALITY AS e (value, n)))
$$;

CREATE FUNCTION countersign.tool_call_document(call countersign.tool_calls)
RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT jsonb_build_object('tool_call_id', call.id::text, 'tool_name', call.tool_name,
    'input_ref', call.input_ref, 'output_ref', call.output_ref, 'status', call.status,
    'sandbox_id', call.sandbox_id, 'started_at', call.started_at,
    'completed_at', call.completed_at)
$$;

-- The newest vote's actor is the one approver document 000 has room for.
CREATE FUNCTION countersign.approver_document(tenant uuid, approval uuid)
RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT countersign.actor_document(v.tenant_id, v.actor_id)
  FROM countersign.approval_votes v
  WHERE v.tenant_id = tenant AND v.approval_id = approval
  ORDER BY v.created_at DESC, v.id DESC
  LIMIT 1
$$;

CREATE FUNCTION countersign.approval_document(approval countersign.approvals)
RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT jsonb_build_object('approval_id', approval.id::text, 'plan_id', approval.plan_id::text,
    'status', CASE approval.status WHEN 'void' THEN 'expired' ELSE approval.status END,
    'approver', countersign.approver_document(approval.tenant_id, approval.id),
    'expires_at', approval.expires_at,
    'source', CASE WHEN approval.source IN ('linear', 'ui', 'cli', 'slack') THEN approval.source
      ELSE 'cli' END)
$$;

-- The tier of a plan in document 000's words, from its newest assessment.
CREATE FUNCTION countersign.plan_risk_level(tenant uuid, plan uuid)
RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT CASE r.tier WHEN 'critical' THEN 'high' ELSE r.tier END
  FROM countersign.risk_assessments r
  WHERE r.tenant_id = tenant AND r.plan_id = plan
  ORDER BY r.id DESC
  LIMIT 1
$$;

CREATE VIEW lens_assistant.plans WITH (security_invoker = true) AS
SELECT p.id AS plan_id, p.created_at, i.trigger, p.summary,
  countersign.context_document(p.tenant_id, i.environment_id, i.environment_class) AS context_json,
  countersign.plan_risk_level(p.tenant_id, p.id) AS risk_level, i.intent,
  i.constraints AS constraints_json, p.plan_text
FROM countersign.plans p
JOIN countersign.intents i ON i.tenant_id = p.tenant_id AND i.id = p.intent_id;

CREATE VIEW lens_assistant.plan_steps WITH (security_invoker = true) AS
SELECT s.id AS step_id, s.plan_id, s.action, s.tool, s.input AS input_json,
  countersign.plan_step_document(s) -> 'preconditions' AS preconditions_json,
  countersign.rollback_document(s.rollback) AS rollback_json
FROM countersign.plan_steps s;

CREATE VIEW lens_assistant.executions WITH (security_invoker = true) AS
SELECT e.id AS execution_id, e.plan_id, countersign.execution_word(e.state, 'assistant') AS status,
  e.started_at, e.completed_at
FROM countersign.executions e;

CREATE VIEW lens_assistant.tool_calls WITH (security_invoker = true) AS
SELECT c.id AS tool_call_id, c.execution_id, c.tool_name, c.input_ref, c.output_ref, c.status
FROM countersign.tool_calls c;

CREATE VIEW lens_assistant.evidence WITH (security_invoker = true) AS
SELECT v.id AS evidence_id, v.execution_id, v.type, v.query, v.result_ref, v.link, v.collected_at
FROM countersign.evidence v;

CREATE VIEW lens_assistant.approvals WITH (security_invoker = true) AS
SELECT a.id AS approval_id, a.plan_id,
  CASE a.status WHEN 'void' THEN 'expired' ELSE a.status END AS status,
  countersign.approver_document(a.tenant_id, a.id) AS approver_json, a.expires_at,
  CASE WHEN a.source IN ('linear', 'ui', 'cli', 'slack') THEN a.source ELSE 'cli' END AS source
FROM countersign.approvals a;

CREATE VIEW lens_assistant.audit_events WITH (security_invoker = true) AS
SELECT a.id AS event_id, a.occurred_at,
  countersign.actor_document(a.tenant_id, a.actor_id) || (document -> 'actor') AS actor_json,
  a.action, a.decision,
  countersign.context_document(a.tenant_id,
    countersign.bare_id(document #>> '{context,environment_id}'),
    document #>> '{context,environment}') AS context_json,
  coalesce(document -> 'evidence_refs', '[]') AS evidence_refs_json, encode(a.leaf, 'hex') AS hash
FROM countersign.audit_events a
CROSS JOIN LATERAL (SELECT convert_from(a.canon, 'UTF8')::jsonb AS document) event;

CREATE VIEW lens_assistant.context_nodes WITH (security_invoker = true) AS
SELECT r.id AS node_id, r.kind, r.name, r.tags AS labels_json, r.owner_team
FROM countersign.resources r;

CREATE VIEW lens_assistant.context_edges WITH (security_invoker = true) AS
SELECT e.id AS edge_id, e.from_id AS from_node_id, e.to_id AS to_node_id, e.relation
FROM countersign.resource_edges e;

CREATE VIEW lens_assistant.actor_document WITH (security_invoker = true) AS
SELECT countersign.actor_document(a.tenant_id, a.id) AS document
FROM countersign.actors a;

CREATE VIEW lens_assistant.context_ref_document WITH (security_invoker = true) AS
SELECT countersign.context_document(e.tenant_id, e.id, e.class) AS document
FROM countersign.environments e;

CREATE VIEW lens_assistant.resource_ref_document WITH (security_invoker = true) AS
SELECT jsonb_build_object('kind', r.kind, 'id', r.external_id, 'name', r.name, 'labels', r.tags,
  'owner_team', r.owner_team) AS document
FROM countersign.resources r;

CREATE VIEW lens_assistant.plan_document WITH (security_invoker = true) AS
SELECT jsonb_build_object('plan_id', p.id::text, 'created_at', p.created_at, 'trigger', i.trigger,
  'summary', p.summary, 'intent', i.intent,
  'context', countersign.context_document(p.tenant_id, i.environment_id, i.environment_class),
  'risk_level', countersign.plan_risk_level(p.tenant_id, p.id), 'constraints', i.constraints,
  'plan_text', p.plan_text,
  'steps', (
    SELECT coalesce(jsonb_agg(countersign.plan_step_document(s) ORDER BY s.step_order), '[]')
    FROM countersign.plan_steps s
    WHERE s.tenant_id = p.tenant_id AND s.plan_id = p.id),
  'approvals', (
    SELECT coalesce(jsonb_agg(countersign.approval_document(a) ORDER BY a.id), '[]')
    FROM countersign.approvals a
    WHERE a.tenant_id = p.tenant_id AND a.plan_id = p.id)) AS document
FROM countersign.plans p
JOIN countersign.intents i ON i.tenant_id = p.tenant_id AND i.id = p.intent_id;

CREATE VIEW lens_assistant.plan_step_document WITH (security_invoker = true) AS
SELECT countersign.plan_step_document(s) AS document
FROM countersign.plan_steps s;

CREATE VIEW lens_assistant.execution_document WITH (security_invoker = true) AS
SELECT jsonb_build_object('execution_id', e.id::text, 'plan_id', e.plan_id::text,
  'status', countersign.execution_word(e.state, 'assistant'), 'started_at', e.started_at,
  'completed_at', e.completed_at,
  'tool_calls', (
    SELECT coalesce(jsonb_agg(countersign.tool_call_document(c) ORDER BY c.id), '[]')
    FROM countersign.tool_calls c
    WHERE c.tenant_id = e.tenant_id AND c.execution_id = e.id)) AS document
FROM countersign.executions e;

CREATE VIEW lens_assistant.tool_call_document WITH (security_invoker = true) AS
SELECT countersign.tool_call_document(c) AS document
FROM countersign.tool_calls c;

CREATE VIEW lens_assistant.evidence_document WITH (security_invoker = true) AS
SELECT jsonb_build_object('evidence_id', v.id::text, 'type', v.type, 'query', v.query,
  'result_ref', v.result_ref, 'link', v.link, 'collected_at', v.collected_at) AS document
FROM countersign.evidence v;

CREATE VIEW lens_assistant.approval_document WITH (security_invoker = true) AS
SELECT countersign.approval_document(a) AS document
FROM countersign.approvals a;

CREATE VIEW lens_assistant.audit_event_document WITH (security_invoker = true) AS
SELECT jsonb_build_object('event_id', a.event_id::text, 'occurred_at', a.occurred_at,
  'actor', a.actor_json, 'action', a.action, 'decision', a.decision, 'context', a.context_json,
  'evidence_refs', a.evidence_refs_json, 'hash', a.hash) AS document
FROM lens_assistant.audit_events a;

-- Document 000's score has three levels: what is only read is low, what is critical is high.
CREATE VIEW lens_assistant.risk_score_document WITH (security_invoker = true) AS
SELECT jsonb_build_object(
  'level', CASE r.tier WHEN 'read' THEN 'low' WHEN 'critical' THEN 'high' ELSE r.tier END,
  'reasons', (
    SELECT coalesce(jsonb_agg(coalesce(reason.value ->> 'message', reason.value #>> '{}')
      ORDER BY reason.n), '[]')
    FROM jsonb_array_elements(r.reasons) WITH ORDINALITY AS reason (value, n)),
  'blast_radius', coalesce(p.blast_radius ->> 'scope', 'namespace')) AS document
FROM countersign.risk_assessments r
LEFT JOIN countersign.plans p ON p.tenant_id = r.tenant_id AND p.id = r.plan_id;

CREATE VIEW lens_assistant.approval_requirement_document WITH (security_invoker = true) AS
SELECT jsonb_build_object(
  'tier', CASE WHEN d.approval_requirement ->> 'tier' IN ('high', 'critical') THEN 'high'
    ELSE 'medium' END,
  'approvers', coalesce(d.approval_requirement -> 'roles', '[]'),
  'ttl_hours', ceil((d.approval_requirement ->> 'ttl_s')::numeric / 3600)::integer) AS document
FROM countersign.decisions d
WHERE jsonb_typeof(d.approval_requirement) = 'object';

CREATE VIEW lens_assistant.rollback_spec_document WITH (security_invoker = true) AS
SELECT countersign.rollback_document(s.rollback) AS document
FROM countersign.plan_steps s
WHERE s.rollback IS NOT NULL;

-- Document 000 knows evidence of type log, and no requirement of it.
CREATE VIEW lens_assistant.evidence_requirement_document WITH (security_invoker = true) AS
SELECT jsonb_build_object('type', e.value -> 'type', 'query', e.value -> 'query') AS document
FROM countersign.plan_steps s
CROSS JOIN LATERAL jsonb_array_elements(s.evidence_required) AS e (value)
WHERE e.value ->> 'type' <> 'log';

CREATE VIEW lens_assistant.service_document WITH (security_invoker = true) AS
SELECT jsonb_build_object('service_id', s.id::text, 'name', s.name, 'owner_team', s.owner_team,
  'environments', to_jsonb(s.environments), 'argo_apps', to_jsonb(s.argo_apps),
  'helm_releases', to_jsonb(s.helm_releases), 'promql_queries', to_jsonb(s.promql_queries),
  'traceql_queries', to_jsonb(s.traceql_queries),
  'grafana_dashboards', to_jsonb(s.grafana_dashboards)) AS document
FROM countersign.services s;

CREATE VIEW lens_assistant.artifact_ref_document WITH (security_invoker = true) AS
SELECT jsonb_build_object('kind', 'object_store', 'ref', v.result_ref,
  'sha', encode(v.sha256, 'hex')) AS document
FROM countersign.evidence v
UNION ALL
SELECT jsonb_build_object('kind', 'object_store', 'ref', c.output_ref,
  'sha', encode(c.output_sha256, 'hex'))
FROM countersign.tool_calls c
WHERE c.output_ref IS NOT NULL
UNION ALL
SELECT jsonb_build_object('kind', 'git_path', 'ref', r.repository_url || '@' || r.branch,
  'sha', NULL)
FROM countersign.iac_repositories r
WHERE r.repository_url IS NOT NULL;

-- The configuration of document 000: a section is a key of system_config; the section about the
-- language model is the default provider. Secrets are credentials and appear by name alone.
CREATE VIEW lens_assistant.config_document WITH (security_invoker = true) AS
SELECT jsonb_object_agg(section.name, CASE section.name
    WHEN 'llm' THEN coalesce(jsonb_build_object('provider', l.provider_type,
      'model', l.model_id) || l.config, c.value, '{}')
    ELSE coalesce(c.value, '{}') END) AS document
FROM countersign.tenants t
CROSS JOIN (VALUES ('gateway'), ('policy'), ('llm'), ('orchestrator'), ('storage'),
  ('connectors'), ('chatops')) AS section (name)
LEFT JOIN countersign.system_config c ON c.tenant_id = t.id AND c.key = section.name
LEFT JOIN countersign.llm_providers l ON l.tenant_id = t.id AND l.is_default
GROUP BY t.id;

SELECT countersign.open_lens('lens_assistant');
