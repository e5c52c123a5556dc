-- What was sensed: the header every kind of finding shares, and alerts.

CREATE TABLE countersign.alert_sources (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  actor_id uuid NOT NULL,
  -- For generic webhooks: JSON pointers per field, and the sealed signing secrets.
  mapping jsonb,
  secret_id uuid,
  previous_secret_id uuid,
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT alert_sources_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT alert_sources_name_key UNIQUE (tenant_id, name),
  CONSTRAINT alert_sources_actor_fk FOREIGN KEY (tenant_id, actor_id)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT alert_sources_secret_fk FOREIGN KEY (tenant_id, secret_id)
    REFERENCES countersign.credentials (tenant_id, id),
  CONSTRAINT alert_sources_previous_secret_fk FOREIGN KEY (tenant_id, previous_secret_id)
    REFERENCES countersign.credentials (tenant_id, id),
  CONSTRAINT alert_sources_actor_key UNIQUE (tenant_id, actor_id),
  CONSTRAINT alert_sources_kind_word CHECK (kind IN ('alertmanager', 'generic')),
  CONSTRAINT alert_sources_signed
    CHECK (kind <> 'generic' OR (mapping IS NOT NULL AND secret_id IS NOT NULL))
);
SELECT countersign.protect('countersign.alert_sources');
GRANT SELECT, INSERT, UPDATE ON countersign.alert_sources TO countersign_app;

CREATE TABLE countersign.alert_rules (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  priority integer NOT NULL DEFAULT 100,
  alert_name_pattern text NOT NULL DEFAULT '*',
  severity_pattern text NOT NULL DEFAULT '*',
  action text NOT NULL,
  enabled boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT alert_rules_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT alert_rules_name_key UNIQUE (tenant_id, name),
  CONSTRAINT alert_rules_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT alert_rules_action_word CHECK (action IN ('auto_analyze', 'ignore', 'manual'))
);
SELECT countersign.protect('countersign.alert_rules');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.alert_rules TO countersign_app;

CREATE TABLE countersign.findings (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL,
  resource_id uuid,
  environment_id uuid,
  fingerprint text NOT NULL,
  -- When the problem began; with the fingerprint it says whether it is the same problem.
  began_at timestamptz NOT NULL,
  title text NOT NULL,
  reason text NOT NULL DEFAULT '',
  severity text NOT NULL,
  severity_rank smallint NOT NULL GENERATED ALWAYS AS (
    CASE severity WHEN 'critical' THEN 4 WHEN 'high' THEN 3 WHEN 'medium' THEN 2 ELSE 1 END) STORED,
  severity_score float8,
  severity_raw text NOT NULL DEFAULT '',
  confidence_score float8,
  status text NOT NULL DEFAULT 'open',
  seen_count bigint NOT NULL DEFAULT 1,
  -- The first eight bytes of the SHA-256 of what was received last: a notice that says the same
  -- again rewrites nothing but the count.
  content_hash bigint NOT NULL DEFAULT 0,
  first_seen timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_seen timestamptz NOT NULL DEFAULT clock_timestamp(),
  resolved_at timestamptz,
  resolution_type text,
  CONSTRAINT findings_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT findings_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT findings_resource_fk FOREIGN KEY (tenant_id, resource_id)
    REFERENCES countersign.resources (tenant_id, id),
  CONSTRAINT findings_environment_fk FOREIGN KEY (tenant_id, environment_id)
    REFERENCES countersign.environments (tenant_id, id),
  CONSTRAINT findings_same_problem_key UNIQUE (tenant_id, kind, fingerprint, began_at),
  CONSTRAINT findings_kind_word CHECK (kind IN ('alert', 'drift', 'violation', 'cost', 'exposure')),
  CONSTRAINT findings_severity_word CHECK (severity IN ('low', 'medium', 'high', 'critical')),
  CONSTRAINT findings_status_word
    CHECK (status IN ('open', 'suppressed', 'fixed', 'accepted', 'escalated')),
  CONSTRAINT findings_severity_range CHECK (severity_score BETWEEN 0 AND 1),
  CONSTRAINT findings_confidence_range CHECK (confidence_score BETWEEN 0 AND 1)
)
-- Repeated notices count up in place: no index holds what they change, and each page has room.
WITH (fillfactor = 80);
CREATE INDEX findings_open ON countersign.findings (tenant_id, status, severity_rank DESC, id DESC);
SELECT countersign.protect('countersign.findings');
GRANT SELECT, INSERT, UPDATE ON countersign.findings TO countersign_app;

CREATE TABLE countersign.alerts (
  tenant_id uuid NOT NULL,
  finding_id uuid NOT NULL,
  source_id uuid,
  source_name text NOT NULL,
  -- Whose key sent it: the requester of whatever it leads to.
  sender_actor_id uuid NOT NULL,
  alert_name text NOT NULL,
  instance text NOT NULL DEFAULT '',
  job text NOT NULL DEFAULT '',
  source_status text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  starts_at timestamptz NOT NULL,
  ends_at timestamptz,
  labels_json jsonb NOT NULL,
  annotations_json jsonb NOT NULL,
  -- As it came in: json keeps the text, jsonb would write every number out.
  raw_alert_json json NOT NULL,
  matched_rule_id uuid,
  action_taken text NOT NULL,
  analyzed boolean NOT NULL DEFAULT false,
  analyzed_at timestamptz,
  -- Why each trigger of each runbook matched or did not.
  trigger_report jsonb,
  CONSTRAINT alerts_pk PRIMARY KEY (tenant_id, finding_id),
  CONSTRAINT alerts_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id),
  CONSTRAINT alerts_source_fk FOREIGN KEY (tenant_id, source_id)
    REFERENCES countersign.alert_sources (tenant_id, id),
  CONSTRAINT alerts_sender_fk FOREIGN KEY (tenant_id, sender_actor_id)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT alerts_status_word CHECK (source_status IN ('firing', 'resolved')),
  CONSTRAINT alerts_action_word CHECK (action_taken IN ('auto_analyze', 'ignore', 'manual'))
);
CREATE INDEX alerts_name ON countersign.alerts (tenant_id, alert_name, finding_id);
SELECT countersign.protect('countersign.alerts');
GRANT SELECT, INSERT, UPDATE ON countersign.alerts TO countersign_app;

-- What could not be read, with the reason, so that nothing is lost.
CREATE TABLE countersign.quarantined_alerts (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  source_id uuid,
  source_name text NOT NULL,
  -- Where in the body it was, from 0, and where in the body its fault is.
  position integer NOT NULL,
  path text NOT NULL,
  reason text NOT NULL,
  raw text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT quarantined_alerts_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT quarantined_alerts_source_fk FOREIGN KEY (tenant_id, source_id)
    REFERENCES countersign.alert_sources (tenant_id, id)
);
SELECT countersign.protect('countersign.quarantined_alerts');
GRANT SELECT, INSERT, DELETE ON countersign.quarantined_alerts TO countersign_app;
