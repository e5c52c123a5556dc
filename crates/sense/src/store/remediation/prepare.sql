UPDATE countersign.remediations
SET preparation_id = $3, state = $4, updated_at = clock_timestamp()
WHERE tenant_id = $1 AND id = $2
