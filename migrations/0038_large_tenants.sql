-- What large tenants' lists, searches and figures are found by. Row-level security lets an index be
-- used by operators that cannot leak alone (equality, order); a search for a part of a text is not
-- among them and has a function of its own below.

-- What is open is counted from the index alone.
DROP INDEX countersign.findings_open;
CREATE INDEX findings_open ON countersign.findings
  (tenant_id, status, severity_rank DESC, id DESC) INCLUDE (kind, environment_id);
CREATE INDEX findings_severity ON countersign.findings (tenant_id, severity_rank, id);
-- What came up day by day, and when it was over, likewise.
CREATE INDEX findings_first_seen ON countersign.findings (tenant_id, first_seen)
  INCLUDE (severity_rank, resolved_at);
CREATE INDEX findings_resource ON countersign.findings (tenant_id, resource_id, id)
  WHERE resource_id IS NOT NULL;
CREATE INDEX findings_fingerprint ON countersign.findings (tenant_id, fingerprint, id);
CREATE INDEX iac_resources_address ON countersign.iac_resources (tenant_id, address, id);
CREATE INDEX cost_timeseries_amount ON countersign.cost_timeseries (tenant_id, amount, id);
CREATE INDEX audit_events_action ON countersign.audit_events (tenant_id, action, seq);

-- The primary keys have the same columns in the same order.
DROP INDEX countersign.intents_recent;
DROP INDEX countersign.plans_recent;
DROP INDEX countersign.approvals_recent;
DROP INDEX countersign.executions_recent;

-- `db roles` makes the extensions, wherever this deployment keeps them.
DO $$
BEGIN
  EXECUTE format(
    'CREATE INDEX findings_title ON countersign.findings USING gin (tenant_id, title %I.gin_trgm_ops)',
    (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
     WHERE e.extname = 'pg_trgm'));
END $$;

-- The findings of the tenant whose titles are like a pattern, in no order, and no more than so many.
CREATE FUNCTION countersign.findings_like(pattern text, most integer)
RETURNS SETOF uuid LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  -- Planned for this pattern: a rare one by the index, a common one by reading on.
  RETURN QUERY EXECUTE
    'SELECT f.id FROM countersign.findings f WHERE f.tenant_id = $1 AND f.title ILIKE $2 LIMIT $3'
    USING NULLIF(current_setting('app.tenant_id', true), '')::uuid, pattern, most;
END $$;
CREATE POLICY queue ON countersign.findings FOR SELECT TO countersign_queue USING (true);
GRANT SELECT (tenant_id, id, title) ON countersign.findings TO countersign_queue;
SELECT countersign.entrust('countersign.findings_like(text, integer)', 'countersign_queue');
