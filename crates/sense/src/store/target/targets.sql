-- Active servers with their connection, pinned host keys and environment.
SELECT
  r.id AS resource_id, c.id AS connection_id, r.name, r.hostname, r.os_type, r.tags,
  c.host, c.port, c.username, c.transport, c.guard_dir,
  c.credential_id, k.version AS credential_version,
  ARRAY(
    SELECT h.public_key
    FROM countersign.host_keys h
    WHERE h.tenant_id = c.tenant_id AND h.connection_id = c.id
    ORDER BY h.public_key
  ) AS host_keys,
  e.id AS environment_id, e.name AS environment_name, e.slug AS environment_slug,
  e.class AS environment_class
FROM countersign.resources r
JOIN countersign.connections c
  ON c.tenant_id = r.tenant_id AND c.resource_id = r.id AND c.is_active
JOIN countersign.environments e
  ON e.tenant_id = r.tenant_id AND e.id = r.environment_id
LEFT JOIN countersign.credentials k
  ON k.tenant_id = c.tenant_id AND k.id = c.credential_id
WHERE r.tenant_id = $1
  -- What is no server is a target only by its id: no selector, name or alert means it.
  AND (r.kind = 'server' OR r.id = ANY ($2))
  AND r.status = 'active'
  -- By id or by name; all of them when neither is given.
  AND (
    cardinality($2::uuid[]) = 0 AND cardinality($6::text[]) = 0
    OR r.id = ANY ($2)
    OR r.name = ANY ($6)
  )
  -- All of the wanted labels.
  AND r.tags @> $3::jsonb
  AND ($4::text IS NULL OR e.slug = $4)
ORDER BY r.name, r.id
LIMIT $5
