-- What belongs to findings ($2): what our rules found ($4 to $11) takes the place of what they found
-- before.
WITH gone AS (
  DELETE FROM countersign.correlations
  WHERE tenant_id = $1 AND finding_id = ANY ($2) AND rules_version IS NOT NULL
)
INSERT INTO countersign.correlations (tenant_id, id, finding_id, correlation_type, external_id,
  external_system, event_data, correlation_score, temporal_offset, rules_version)
SELECT $1, t.id, t.finding_id, t.correlation_type, t.external_id, t.external_system, t.event_data,
  t.correlation_score, make_interval(secs => t.offset_seconds), $3
FROM unnest($4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::jsonb[], $10::float8[],
  $11::float8[])
  AS t (id, finding_id, correlation_type, external_id, external_system, event_data,
    correlation_score, offset_seconds)
