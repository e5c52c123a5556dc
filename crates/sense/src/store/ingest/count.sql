-- Makes a finding a problem, or counts up the one there is; all rows in the given order.
WITH incoming AS (
  SELECT *
  FROM unnest(
    $2::uuid[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::boolean[],
    $9::bigint[], $10::bigint[]
  ) WITH ORDINALITY AS notice (
    id, fingerprint, began_at, title, severity, severity_raw, resolved, seen, content_hash, place)
)
INSERT INTO countersign.findings AS known (
  tenant_id, id, kind, fingerprint, began_at, title, severity, severity_raw, status, seen_count,
  content_hash, resolved_at, resolution_type)
SELECT
  $1, id, 'alert', fingerprint, began_at, title, severity, severity_raw,
  CASE WHEN resolved THEN 'fixed' ELSE 'open' END, seen, content_hash,
  CASE WHEN resolved THEN clock_timestamp() END,
  CASE WHEN resolved THEN 'source' END
FROM incoming
ORDER BY place
ON CONFLICT ON CONSTRAINT findings_same_problem_key DO UPDATE
SET seen_count = known.seen_count + excluded.seen_count,
    last_seen = greatest(known.last_seen, excluded.last_seen),
    -- Resolved is final, and what a person decided about a finding stays.
    status = CASE
      WHEN excluded.status = 'fixed' AND known.status IN ('open', 'escalated') THEN 'fixed'
      ELSE known.status
    END,
    resolved_at = coalesce(known.resolved_at, excluded.resolved_at),
    resolution_type = coalesce(known.resolution_type, excluded.resolution_type)
-- The content hash is left as it was: the caller compares.
RETURNING id, fingerprint, began_at, content_hash
