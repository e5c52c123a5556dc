-- What happened outside, told by whoever knows: findings are correlated with it. The database itself
-- knows alerts, findings of security, its own executions and its windows.
CREATE TABLE countersign.change_events (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL,
  occurred_at timestamptz NOT NULL,
  -- Null for what has no duration, and for what lasts.
  ended_at timestamptz,
  external_system text NOT NULL,
  external_id text NOT NULL,
  actor text,
  summary text NOT NULL DEFAULT '',
  service text,
  severity text,
  environment_id uuid,
  -- Files, resources as their declarations call them, resources as their provider calls them, and
  -- ids that may be found elsewhere.
  paths text[] NOT NULL DEFAULT '{}',
  addresses text[] NOT NULL DEFAULT '{}',
  resources text[] NOT NULL DEFAULT '{}',
  shared_ids text[] NOT NULL DEFAULT '{}',
  data jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT change_events_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT change_events_tenant_fk FOREIGN KEY (tenant_id)
    REFERENCES countersign.tenants (id),
  CONSTRAINT change_events_environment_fk FOREIGN KEY (tenant_id, environment_id)
    REFERENCES countersign.environments (tenant_id, id),
  CONSTRAINT change_events_kind_word CHECK (kind IN (
    'git_commit', 'deployment', 'audit_event', 'incident_ticket', 'incident', 'maintenance',
    'security_event')),
  CONSTRAINT change_events_severity_word
    CHECK (severity IN ('low', 'medium', 'high', 'critical')),
  CONSTRAINT change_events_order CHECK (ended_at >= occurred_at)
) PARTITION BY RANGE (id);
COMMENT ON TABLE countersign.change_events IS
  'What happened outside and may explain a finding, by month. | – | 90 days';
-- One row an event: writers of a tenant take turns and look here, as no unique index holds across
-- months.
CREATE INDEX change_events_name
  ON countersign.change_events (tenant_id, external_system, external_id, kind);
CREATE INDEX change_events_occurred ON countersign.change_events (tenant_id, occurred_at, id);
CREATE INDEX change_events_kind ON countersign.change_events (tenant_id, kind, occurred_at);
SELECT countersign.protect('countersign.change_events');
SELECT countersign.keep_by_month('countersign.change_events');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.change_events TO countersign_app;
GRANT SELECT ON countersign.change_events TO countersign_report;
SELECT countersign.add_partitions(3);
