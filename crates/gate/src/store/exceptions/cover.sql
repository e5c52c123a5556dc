-- What an exception that was just approved ($2) is about, as far as it is open, stands from now on.
-- What somebody escalated or a rule suppressed stays with them.
UPDATE countersign.findings f
SET status = 'accepted', resolution_type = 'accepted'
WHERE f.tenant_id = $1 AND f.status = 'open' AND f.id IN (
  SELECT x.finding_id FROM countersign.excepted x
  WHERE x.tenant_id = $1 AND x.exception_id = $2
)
