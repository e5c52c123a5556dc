-- Sources of $1 that are due, at most $2 at a time, and when they are due again. What another sweep
-- has just now is left to it.
UPDATE countersign.iac_repositories r
SET next_sync_at = clock_timestamp() + make_interval(secs => r.sync_interval_seconds)
FROM (
  SELECT id
  FROM countersign.iac_repositories
  WHERE tenant_id = $1
    AND sync_interval_seconds IS NOT NULL
    -- One that was never due is so now.
    AND (next_sync_at IS NULL OR next_sync_at <= clock_timestamp())
  ORDER BY next_sync_at NULLS FIRST
  LIMIT $2
  FOR UPDATE SKIP LOCKED
) due
WHERE r.tenant_id = $1 AND r.id = due.id
RETURNING r.id
