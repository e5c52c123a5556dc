-- Looking for drift, once: which source was compared with what, and what came of it. Scans of more
-- than 90 days ago go with the next scan of their source.
CREATE TABLE countersign.drift_scans (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  iac_repository_id uuid NOT NULL,
  state text NOT NULL DEFAULT 'running',
  -- What the declarations were compared with: it says how sure a difference is.
  against text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz,
  drifted integer NOT NULL DEFAULT 0,
  opened integer NOT NULL DEFAULT 0,
  in_sync integer,
  closed integer,
  -- What could not be read: nothing is said of it.
  not_checked jsonb NOT NULL DEFAULT '[]',
  CONSTRAINT drift_scans_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT drift_scans_repository_fk FOREIGN KEY (tenant_id, iac_repository_id)
    REFERENCES countersign.iac_repositories (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT drift_scans_state_word CHECK (state IN ('running', 'finished', 'abandoned')),
  CONSTRAINT drift_scans_against_word
    CHECK (against IN ('provider', 'api', 'dry_run', 'document')),
  CONSTRAINT drift_scans_end CHECK ((state = 'running') = (finished_at IS NULL))
);
COMMENT ON TABLE countersign.drift_scans IS
  'Looking for drift, once: a source compared with what is there. | – | 90 days';
-- Two at once would each close what the other found.
CREATE UNIQUE INDEX drift_scans_running_key
  ON countersign.drift_scans (tenant_id, iac_repository_id) WHERE state = 'running';
CREATE INDEX drift_scans_repository
  ON countersign.drift_scans (tenant_id, iac_repository_id, id);
SELECT countersign.protect('countersign.drift_scans');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.drift_scans TO countersign_app;
GRANT SELECT ON countersign.drift_scans TO countersign_report;

-- Which source a drift is of, and which scan saw it last: what the next one does not see is gone.
ALTER TABLE countersign.drift_events
  ADD COLUMN iac_repository_id uuid,
  ADD COLUMN scan_id uuid;
ALTER TABLE countersign.drift_events
  ADD CONSTRAINT drift_events_repository_fk FOREIGN KEY (tenant_id, iac_repository_id)
    REFERENCES countersign.iac_repositories (tenant_id, id)
    ON DELETE SET NULL (iac_repository_id) NOT VALID;
