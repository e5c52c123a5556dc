-- Differences that do not count for a tenant, each with why and until when.
CREATE TABLE countersign.drift_ignore_rules (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  -- One source; all of them when absent.
  iac_repository_id uuid,
  resource_type text NOT NULL DEFAULT '*',
  address text NOT NULL DEFAULT '*',
  -- Absent, whatever differs of the resource, its absence included.
  property_path text,
  reason text NOT NULL,
  expires_at timestamptz,
  created_by uuid,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT drift_ignore_rules_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT drift_ignore_rules_tenant_fk FOREIGN KEY (tenant_id)
    REFERENCES countersign.tenants (id),
  CONSTRAINT drift_ignore_rules_repository_fk FOREIGN KEY (tenant_id, iac_repository_id)
    REFERENCES countersign.iac_repositories (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT drift_ignore_rules_creator_fk FOREIGN KEY (tenant_id, created_by)
    REFERENCES countersign.actors (tenant_id, id)
);
COMMENT ON TABLE countersign.drift_ignore_rules IS
  'Differences that do not count, why and until when. | – | kept';
CREATE INDEX drift_ignore_rules_repository
  ON countersign.drift_ignore_rules (tenant_id, iac_repository_id);
SELECT countersign.protect('countersign.drift_ignore_rules');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.drift_ignore_rules TO countersign_app;
GRANT SELECT ON countersign.drift_ignore_rules TO countersign_report;
