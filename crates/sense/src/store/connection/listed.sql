-- Connections ($2) with what their resources are called and how many host keys each has.
SELECT c.id, c.resource_id, c.transport, c.host, c.port, c.username, c.credential_id, c.guard_dir,
  c.is_active, c.last_connection_test, c.last_connection_status, c.last_connection_detail,
  c.last_connection_ms, r.name AS resource_name,
  (SELECT count(*) FROM countersign.host_keys k
   WHERE k.tenant_id = c.tenant_id AND k.connection_id = c.id) AS host_keys
FROM countersign.connections c
JOIN countersign.resources r ON r.tenant_id = c.tenant_id AND r.id = c.resource_id
WHERE c.tenant_id = $1 AND c.id = ANY ($2)
