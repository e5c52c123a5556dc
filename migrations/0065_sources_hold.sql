-- Nothing was there that could break them.
ALTER TABLE countersign.iac_repositories
  VALIDATE CONSTRAINT iac_repositories_sync_interval_range;
ALTER TABLE countersign.iac_repositories
  VALIDATE CONSTRAINT iac_repositories_scan_interval_range;
ALTER TABLE countersign.iac_repositories
  VALIDATE CONSTRAINT iac_repositories_scan_credential_fk;
