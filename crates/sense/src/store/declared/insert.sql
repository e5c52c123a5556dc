INSERT INTO countersign.iac_resources
  (tenant_id, id, iac_repository_id, resource_type, address, declared_state, state_hash, declared_in)
SELECT $1, one.id, $2, one.kind, one.address, one.state, one.hash, one.file
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::jsonb[], $7::bytea[],
    $8::text[])
  AS one (id, address, kind, state, hash, file)
