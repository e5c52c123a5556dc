-- The rows keep their ids ($3 is for new ones): findings refer to them.
UPDATE countersign.iac_resources r
SET resource_type = one.kind, declared_state = one.state, state_hash = one.hash,
    declared_in = one.file,
    last_sync_at = clock_timestamp(), updated_at = clock_timestamp()
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::jsonb[], $7::bytea[],
    $8::text[])
  AS one (id, address, kind, state, hash, file)
WHERE r.tenant_id = $1 AND r.iac_repository_id = $2 AND r.address = one.address
