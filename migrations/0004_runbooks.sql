-- Runbooks: reusable plan templates. A version is a snapshot; what runs is always a snapshot.

CREATE TABLE countersign.runbooks (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  category text NOT NULL DEFAULT '',
  mode text NOT NULL DEFAULT 'manual',
  status text NOT NULL DEFAULT 'draft',
  target_os text NOT NULL DEFAULT 'linux',
  version integer NOT NULL DEFAULT 1,
  timeout_seconds integer NOT NULL DEFAULT 300,
  max_retries integer NOT NULL DEFAULT 0,
  retry_delay_seconds integer NOT NULL DEFAULT 60,
  rate_limit_count integer,
  rate_limit_window_seconds integer,
  requires_approval boolean NOT NULL DEFAULT false,
  approval_roles text[] NOT NULL DEFAULT '{admin,engineer}',
  allowed_servers jsonb NOT NULL DEFAULT '{}',
  environment_vars jsonb NOT NULL DEFAULT '{}',
  config jsonb NOT NULL DEFAULT '{}',
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT runbooks_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT runbooks_name_key UNIQUE (tenant_id, name),
  CONSTRAINT runbooks_creator_fk FOREIGN KEY (tenant_id, created_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT runbooks_mode_word CHECK (mode IN ('auto', 'semi_auto', 'manual')),
  CONSTRAINT runbooks_status_word CHECK (status IN ('active', 'disabled', 'draft')),
  CONSTRAINT runbooks_os_word CHECK (target_os IN ('linux', 'windows')),
  CONSTRAINT runbooks_version_positive CHECK (version > 0),
  CONSTRAINT runbooks_timeout_positive CHECK (timeout_seconds > 0)
);
CREATE INDEX runbooks_category ON countersign.runbooks (tenant_id, category);
CREATE INDEX runbooks_status_mode ON countersign.runbooks (tenant_id, status, mode);
SELECT countersign.protect('countersign.runbooks');
GRANT SELECT, INSERT, UPDATE ON countersign.runbooks TO countersign_app;

CREATE TABLE countersign.runbook_steps (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  runbook_id uuid NOT NULL,
  step_order integer NOT NULL,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  command text NOT NULL,
  expected_exit_codes integer[] NOT NULL DEFAULT '{0}',
  timeout_seconds integer NOT NULL DEFAULT 60,
  continue_on_failure boolean NOT NULL DEFAULT false,
  condition text,
  rollback_command text,
  retry_count integer NOT NULL DEFAULT 0,
  retry_delay_seconds integer NOT NULL DEFAULT 5,
  capture_output boolean NOT NULL DEFAULT true,
  sensitive boolean NOT NULL DEFAULT false,
  action text NOT NULL DEFAULT 'host.shell',
  semantics text NOT NULL DEFAULT 'at_most_once',
  stage text NOT NULL DEFAULT 'act',
  params jsonb NOT NULL DEFAULT '{}',
  evidence jsonb NOT NULL DEFAULT '[]',
  CONSTRAINT runbook_steps_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT runbook_steps_runbook_fk FOREIGN KEY (tenant_id, runbook_id)
    REFERENCES countersign.runbooks (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT runbook_steps_order_key UNIQUE (tenant_id, runbook_id, step_order),
  CONSTRAINT runbook_steps_semantics_word
    CHECK (semantics IN ('read', 'idempotent', 'at_most_once')),
  CONSTRAINT runbook_steps_stage_word CHECK (stage IN ('act', 'verify'))
);
SELECT countersign.protect('countersign.runbook_steps');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.runbook_steps TO countersign_app;

CREATE TABLE countersign.runbook_triggers (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  runbook_id uuid NOT NULL,
  name text NOT NULL,
  priority integer NOT NULL DEFAULT 100,
  alert_name_pattern text NOT NULL DEFAULT '*',
  severity_pattern text NOT NULL DEFAULT '*',
  source_pattern text NOT NULL DEFAULT '*',
  labels_match jsonb NOT NULL DEFAULT '{}',
  time_window_start time,
  time_window_end time,
  timezone text NOT NULL DEFAULT 'UTC',
  enabled boolean NOT NULL DEFAULT true,
  cooldown_seconds integer NOT NULL DEFAULT 0,
  last_triggered_at timestamptz,
  CONSTRAINT runbook_triggers_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT runbook_triggers_runbook_fk FOREIGN KEY (tenant_id, runbook_id)
    REFERENCES countersign.runbooks (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT runbook_triggers_name_key UNIQUE (tenant_id, runbook_id, name),
  CONSTRAINT runbook_triggers_window_whole
    CHECK ((time_window_start IS NULL) = (time_window_end IS NULL))
);
CREATE INDEX runbook_triggers_enabled ON countersign.runbook_triggers (tenant_id, enabled, priority);
SELECT countersign.protect('countersign.runbook_triggers');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.runbook_triggers TO countersign_app;

CREATE TABLE countersign.runbook_versions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  runbook_id uuid NOT NULL,
  version integer NOT NULL,
  yaml_content text NOT NULL,
  change_summary text NOT NULL DEFAULT '',
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT runbook_versions_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT runbook_versions_runbook_fk FOREIGN KEY (tenant_id, runbook_id)
    REFERENCES countersign.runbooks (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT runbook_versions_creator_fk FOREIGN KEY (tenant_id, created_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT runbook_versions_version_key UNIQUE (tenant_id, runbook_id, version)
);
SELECT countersign.protect('countersign.runbook_versions');
GRANT SELECT, INSERT ON countersign.runbook_versions TO countersign_app;

-- When a trigger last started something on a target: cooldowns count for each of them.
CREATE TABLE countersign.runbook_trigger_starts (
  tenant_id uuid NOT NULL,
  trigger_id uuid NOT NULL,
  target text NOT NULL,
  started_at timestamptz NOT NULL,
  CONSTRAINT runbook_trigger_starts_pk PRIMARY KEY (tenant_id, trigger_id, target),
  CONSTRAINT runbook_trigger_starts_trigger_fk FOREIGN KEY (tenant_id, trigger_id)
    REFERENCES countersign.runbook_triggers (tenant_id, id) ON DELETE CASCADE
);
SELECT countersign.protect('countersign.runbook_trigger_starts');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.runbook_trigger_starts TO countersign_app;
