-- What was going on around findings ($2): what our rules found ($3) takes the place of what they found
-- before.
WITH gone AS (
  DELETE FROM countersign.operational_context
  WHERE tenant_id = $1 AND finding_id = ANY ($2) AND rules_version IS NOT NULL
)
INSERT INTO countersign.operational_context (tenant_id, id, finding_id, context_type, context_data,
  incident_impact, time_window, rules_version)
SELECT $1, t.id, t.finding_id, t.context_type, t.context_data, t.incident_impact,
  make_interval(secs => t.seconds), $4
FROM jsonb_to_recordset($3) AS t (id uuid, finding_id uuid, context_type text, context_data jsonb,
  incident_impact text, seconds float8)
