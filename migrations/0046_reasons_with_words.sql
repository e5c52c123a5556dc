-- A guard that has nothing to say gives its reason without words; the justification of document 003
-- is made of words alone.

CREATE OR REPLACE VIEW lens_decision.decision_audit_log WITH (security_invoker = true) AS
SELECT d.id::text AS id, d.tenant_id::text AS tenant_id, i.deterministic_id,
  d.created_at AS timestamp, r.score AS risk_score,
  CASE d.verdict WHEN 'allow' THEN 'approve' WHEN 'require_approval' THEN 'escalate' ELSE 'deny' END
    AS action,
  coalesce((
    SELECT string_agg(said.words, '; ' ORDER BY said.n)
    FROM (
      SELECT coalesce(reason.value ->> 'message', reason.value #>> '{}') AS words, reason.n
      FROM jsonb_array_elements(d.reasons) WITH ORDINALITY AS reason (value, n)
    ) said
    WHERE said.words <> ''), '') AS justification,
  r.memory_success_rate, r.memory_weight, r.counterfactual, d.trace_id, d.signature
FROM countersign.decisions d
JOIN countersign.intents i ON i.tenant_id = d.tenant_id AND i.id = d.intent_id
JOIN countersign.risk_assessments r ON r.tenant_id = d.tenant_id AND r.id = d.risk_id;
