-- What belongs to findings ($2): what our rules found ($3) takes the place of what they found before.
WITH gone AS (
  DELETE FROM countersign.correlations
  WHERE tenant_id = $1 AND finding_id = ANY ($2) AND rules_version IS NOT NULL
)
INSERT INTO countersign.correlations (tenant_id, id, finding_id, correlation_type, external_id,
  external_system, event_data, correlation_score, temporal_offset, rules_version)
SELECT $1, t.id, t.finding_id, t.correlation_type, t.external_id, t.external_system, t.event_data,
  t.correlation_score, make_interval(secs => t.offset_seconds), $4
FROM jsonb_to_recordset($3) AS t (id uuid, finding_id uuid, correlation_type text,
  external_id text, external_system text, event_data jsonb, correlation_score float8,
  offset_seconds float8)
