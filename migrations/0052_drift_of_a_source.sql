-- no-transaction
-- What a scan has to look through when it is over: the drift of its source.
CREATE INDEX CONCURRENTLY IF NOT EXISTS drift_events_repository
  ON countersign.drift_events (tenant_id, iac_repository_id) WHERE iac_repository_id IS NOT NULL;
