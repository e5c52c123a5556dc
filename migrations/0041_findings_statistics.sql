-- An id belongs to one tenant. Without this PostgreSQL takes the two for independent, and thinks that
-- of a hundred ids of one tenant among a thousand tenants hardly any is there.
CREATE STATISTICS countersign.findings_of_one_tenant (dependencies)
  ON tenant_id, id, resource_id, environment_id FROM countersign.findings;
