-- What to do about findings ($2): what our rules advise ($3 to $16) takes the place of what they
-- advised before, unless somebody took that up.
WITH gone AS (
  DELETE FROM countersign.recommendations
  WHERE tenant_id = $1 AND finding_id = ANY ($2) AND rule IS NOT NULL
    AND status IN ('open', 'expired') AND intent_id IS NULL
)
INSERT INTO countersign.recommendations (tenant_id, id, finding_id, resource_id, kind,
  recommendation_type, priority, severity, title, rationale, implementation_steps, risk_assessment,
  confidence, estimated_effort, recommended_by, expires_at, rule)
SELECT $1, t.id, t.finding_id, t.resource_id, 'drift', t.recommendation_type, t.priority,
  t.severity, t.title, t.rationale, t.implementation_steps, t.risk_assessment, t.confidence,
  t.estimated_effort, t.recommended_by,
  clock_timestamp() + make_interval(hours => t.expires_after_hours), t.rule
FROM unnest($3::uuid[], $2::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
  $9::text[], $10::text[], $11::jsonb[], $12::jsonb[], $13::float8[], $14::text[], $15::text[],
  $16::int[])
  AS t (id, finding_id, resource_id, rule, recommendation_type, priority, severity, title,
    rationale, implementation_steps, risk_assessment, confidence, estimated_effort, recommended_by,
    expires_after_hours)
WHERE NOT EXISTS (
  SELECT 1
  FROM countersign.recommendations r
  WHERE r.tenant_id = $1 AND r.finding_id = t.finding_id AND r.rule IS NOT NULL
    AND (r.status NOT IN ('open', 'expired') OR r.intent_id IS NOT NULL))
