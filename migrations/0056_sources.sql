-- Where declared state comes from, and how often it is read and compared with what is there.
ALTER TABLE countersign.iac_repositories
  -- The directory or the file of the repository that declares; all of it when absent.
  ADD COLUMN path text,
  -- Where the document is when it is in no repository: s3://, gs://, az:// or https://.
  ADD COLUMN state_url text,
  ADD COLUMN sync_interval_seconds integer,
  ADD COLUMN scan_interval_seconds integer,
  -- What the cloud or the cluster is read with.
  ADD COLUMN scan_credential_id uuid,
  ADD COLUMN stack text,
  ADD COLUMN region text,
  -- What was read last: a commit, or the SHA-256 of a document.
  ADD COLUMN revision text,
  ADD COLUMN next_sync_at timestamptz,
  ADD COLUMN next_scan_at timestamptz,
  ADD COLUMN last_error text,
  ADD COLUMN last_scan_error text;
ALTER TABLE countersign.iac_repositories
  ADD CONSTRAINT iac_repositories_sync_interval_range
    CHECK (sync_interval_seconds BETWEEN 60 AND 2592000) NOT VALID,
  ADD CONSTRAINT iac_repositories_scan_interval_range
    CHECK (scan_interval_seconds BETWEEN 60 AND 2592000) NOT VALID,
  ADD CONSTRAINT iac_repositories_scan_credential_fk FOREIGN KEY (tenant_id, scan_credential_id)
    REFERENCES countersign.credentials (tenant_id, id) NOT VALID;
