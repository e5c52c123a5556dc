-- Findings ($2) that no exception holds for any more are open again.
UPDATE countersign.findings f
SET status = 'open', resolution_type = NULL
WHERE f.tenant_id = $1 AND f.id = ANY ($2) AND f.status = 'accepted'
  AND NOT EXISTS (
    SELECT FROM countersign.exceptions x
    WHERE x.tenant_id = f.tenant_id AND x.finding_id = f.id AND x.status = 'approved'
  )
