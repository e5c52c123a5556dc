-- no-transaction
-- What a day's figures are counted from beside what was found on it: the drift that was over.
CREATE INDEX CONCURRENTLY IF NOT EXISTS findings_drift_resolved
  ON countersign.findings (tenant_id, resolved_at)
  WHERE kind = 'drift' AND resolved_at IS NOT NULL;
