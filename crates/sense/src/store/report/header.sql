-- The headers of reported findings. A report without a beginning repeats the open finding of its
-- fingerprint, if there is one; nobody else places findings of this tenant meanwhile. They are
-- inserted in the order of their unique key, so that two reporters of the same ones wait for each
-- other and never both for ever.
WITH incoming AS (
  SELECT r.id, r.kind, r.fingerprint, r.began_at, r.title, r.reason, r.severity,
    r.severity_score, r.confidence_score, r.resource_id, r.environment_id, r.times
  FROM jsonb_to_recordset($2) AS r (id uuid, kind text, fingerprint text, began_at timestamptz,
    title text, reason text, severity text, severity_score float8, confidence_score float8,
    resource_id uuid, environment_id uuid, times bigint)
),
placed AS (
  SELECT i.*, coalesce(i.began_at, same.began_at, now()) AS begins
  FROM incoming i
  LEFT JOIN LATERAL (
    SELECT f.began_at
    FROM countersign.findings f
    WHERE f.tenant_id = $1 AND f.kind = i.kind AND f.fingerprint = i.fingerprint
      AND i.began_at IS NULL AND f.status IN ('open', 'suppressed', 'accepted', 'escalated')
    ORDER BY f.began_at DESC
    LIMIT 1
  ) same ON true
),
-- With and without a beginning may turn out to be the same.
one AS (
  SELECT DISTINCT ON (p.kind, p.fingerprint, p.begins) p.*,
    sum(p.times) OVER (PARTITION BY p.kind, p.fingerprint, p.begins) AS all_times
  FROM placed p
  ORDER BY p.kind, p.fingerprint, p.begins, p.began_at NULLS LAST
)
INSERT INTO countersign.findings AS f (tenant_id, id, kind, resource_id, environment_id,
  fingerprint, began_at, title, reason, severity, severity_score, confidence_score, seen_count)
SELECT $1, o.id, o.kind, o.resource_id,
  coalesce(o.environment_id, (
    SELECT r.environment_id FROM countersign.resources r
    WHERE r.tenant_id = $1 AND r.id = o.resource_id)),
  o.fingerprint, o.begins, o.title, o.reason, o.severity, o.severity_score, o.confidence_score,
  o.all_times
FROM one o
ORDER BY o.kind, o.fingerprint, o.begins
ON CONFLICT ON CONSTRAINT findings_same_problem_key DO UPDATE
SET title = excluded.title, reason = excluded.reason, severity = excluded.severity,
  severity_score = excluded.severity_score, confidence_score = excluded.confidence_score,
  resource_id = coalesce(excluded.resource_id, f.resource_id),
  environment_id = coalesce(excluded.environment_id, f.environment_id),
  -- What is seen again is there again.
  status = CASE f.status WHEN 'fixed' THEN 'open' ELSE f.status END,
  resolved_at = CASE f.status WHEN 'fixed' THEN NULL ELSE f.resolved_at END,
  resolution_type = CASE f.status WHEN 'fixed' THEN NULL ELSE f.resolution_type END,
  seen_count = f.seen_count + excluded.seen_count, last_seen = clock_timestamp()
RETURNING f.id, f.kind, f.fingerprint, f.began_at, f.xmax = 0 AS fresh
