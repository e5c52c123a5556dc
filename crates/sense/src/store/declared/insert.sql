INSERT INTO countersign.iac_resources
  (tenant_id, id, iac_repository_id, resource_type, address, declared_state, state_hash)
SELECT $1, one.id, $2, one.kind, one.address, one.state, one.hash
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::jsonb[], $7::bytea[])
  AS one (id, address, kind, state, hash)
