-- A scan of a source ($2) closed these findings ($3). What a change of ours was for, it put right; and
-- a change all of whose findings are closed is over.
WITH put_right AS (
  UPDATE countersign.findings f
  SET resolution_type = r.kind
  FROM countersign.remediations r
  WHERE r.tenant_id = $1 AND r.iac_repository_id = $2 AND r.state IN ('checking', 'published')
    AND f.tenant_id = r.tenant_id AND f.id = ANY (r.finding_ids) AND f.id = ANY ($3::uuid[])
)
UPDATE countersign.remediations r
SET state = 'resolved', ended_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE r.tenant_id = $1 AND r.iac_repository_id = $2 AND r.state IN ('checking', 'published')
  AND NOT EXISTS (
    SELECT FROM countersign.findings f
    WHERE f.tenant_id = r.tenant_id AND f.id = ANY (r.finding_ids) AND f.status <> 'fixed'
  )
RETURNING r.id
