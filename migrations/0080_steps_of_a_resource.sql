-- no-transaction
-- What was done to a resource: the executions that had a step there.
CREATE INDEX CONCURRENTLY IF NOT EXISTS step_runs_resource
  ON countersign.step_runs (tenant_id, resource_id, execution_id);
