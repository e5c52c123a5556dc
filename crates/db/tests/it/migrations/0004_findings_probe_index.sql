-- no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS findings_probe ON countersign.findings (tenant_id, probe);
