-- What exceptions that are over ($2) were about is open again, unless another one holds for it.
UPDATE countersign.findings f
SET status = 'open', resolution_type = NULL
WHERE f.tenant_id = $1 AND f.status = 'accepted'
  AND f.id IN (
    SELECT x.finding_id FROM countersign.excepted x
    WHERE x.tenant_id = $1 AND x.exception_id = ANY ($2)
  )
  AND NOT EXISTS (
    SELECT FROM countersign.excepted x
    WHERE x.tenant_id = f.tenant_id AND x.finding_id = f.id AND x.status = 'approved'
  )
