-- Exceptions whose time is over; sweeps at the same time pass over what another one has.
UPDATE countersign.exceptions x
SET status = 'expired', updated_at = clock_timestamp()
WHERE x.tenant_id = $1 AND x.id IN (
  SELECT d.id FROM countersign.exceptions d
  WHERE d.tenant_id = $1 AND d.status = 'approved' AND d.expires_at <= clock_timestamp()
  ORDER BY d.expires_at
  LIMIT $2
  FOR UPDATE SKIP LOCKED
)
RETURNING x.id, x.finding_id, x.policy_id, x.resource_id, x.approval_id
