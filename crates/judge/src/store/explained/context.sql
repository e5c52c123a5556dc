-- What was going on around findings ($2): what our rules found ($4 to $9) takes the place of what
-- they found before.
WITH gone AS (
  DELETE FROM countersign.operational_context
  WHERE tenant_id = $1 AND finding_id = ANY ($2) AND rules_version IS NOT NULL
)
INSERT INTO countersign.operational_context (tenant_id, id, finding_id, context_type, context_data,
  incident_impact, time_window, rules_version)
SELECT $1, t.id, t.finding_id, t.context_type, t.context_data, t.incident_impact,
  make_interval(secs => t.seconds), $3
FROM unnest($4::uuid[], $5::uuid[], $6::text[], $7::jsonb[], $8::text[], $9::float8[])
  AS t (id, finding_id, context_type, context_data, incident_impact, seconds)
