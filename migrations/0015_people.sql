-- People and the models that advise them: conversations, sessions, notices, schedules, usage.

CREATE TABLE countersign.llm_providers (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  provider_type text NOT NULL,
  model_id text NOT NULL,
  credential_id uuid,
  is_default boolean NOT NULL DEFAULT false,
  config jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT llm_providers_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT llm_providers_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT llm_providers_credential_fk FOREIGN KEY (tenant_id, credential_id)
    REFERENCES countersign.credentials (tenant_id, id),
  CONSTRAINT llm_providers_name_key UNIQUE (tenant_id, name)
);
CREATE UNIQUE INDEX llm_providers_default_key ON countersign.llm_providers (tenant_id)
  WHERE is_default;
SELECT countersign.protect('countersign.llm_providers');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.llm_providers TO countersign_app;

ALTER TABLE countersign.users
  ADD COLUMN default_llm_provider_id uuid,
  ADD CONSTRAINT users_llm_provider_fk FOREIGN KEY (tenant_id, default_llm_provider_id)
    REFERENCES countersign.llm_providers (tenant_id, id)
    ON DELETE SET NULL (default_llm_provider_id) NOT VALID;
ALTER TABLE countersign.users VALIDATE CONSTRAINT users_llm_provider_fk;
-- Document 001: a principal's name is unique within its tenant.
ALTER TABLE countersign.users ADD CONSTRAINT users_upn_key UNIQUE (tenant_id, upn);

CREATE TABLE countersign.chat_sessions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  finding_id uuid,
  title text NOT NULL DEFAULT '',
  llm_provider_id uuid,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT chat_sessions_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT chat_sessions_user_fk FOREIGN KEY (tenant_id, user_id)
    REFERENCES countersign.users (tenant_id, id),
  CONSTRAINT chat_sessions_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id) ON DELETE SET NULL (finding_id),
  CONSTRAINT chat_sessions_provider_fk FOREIGN KEY (tenant_id, llm_provider_id)
    REFERENCES countersign.llm_providers (tenant_id, id) ON DELETE SET NULL (llm_provider_id)
);
CREATE INDEX chat_sessions_user ON countersign.chat_sessions (tenant_id, user_id, id);
SELECT countersign.protect('countersign.chat_sessions');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.chat_sessions TO countersign_app;

CREATE TABLE countersign.chat_messages (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  session_id uuid NOT NULL,
  role text NOT NULL,
  content text NOT NULL,
  tokens_used integer,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT chat_messages_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT chat_messages_session_fk FOREIGN KEY (tenant_id, session_id)
    REFERENCES countersign.chat_sessions (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT chat_messages_role_word CHECK (role IN ('user', 'assistant', 'system')),
  CONSTRAINT chat_messages_tokens_range CHECK (tokens_used >= 0)
) PARTITION BY RANGE (id);
CREATE INDEX chat_messages_session ON countersign.chat_messages (tenant_id, session_id, id);
SELECT countersign.protect('countersign.chat_messages');
SELECT countersign.keep_by_month('countersign.chat_messages');
GRANT SELECT, INSERT, DELETE ON countersign.chat_messages TO countersign_app;

-- Opening a session is an intent like any other; its recording is evidence.
CREATE TABLE countersign.terminal_sessions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  connection_id uuid NOT NULL,
  finding_id uuid,
  intent_id uuid,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz,
  recording_path text,
  recording_sha256 bytea,
  CONSTRAINT terminal_sessions_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT terminal_sessions_user_fk FOREIGN KEY (tenant_id, user_id)
    REFERENCES countersign.users (tenant_id, id),
  CONSTRAINT terminal_sessions_connection_fk FOREIGN KEY (tenant_id, connection_id)
    REFERENCES countersign.connections (tenant_id, id),
  CONSTRAINT terminal_sessions_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id) ON DELETE SET NULL (finding_id),
  CONSTRAINT terminal_sessions_intent_fk FOREIGN KEY (tenant_id, intent_id)
    REFERENCES countersign.intents (tenant_id, id),
  CONSTRAINT terminal_sessions_order CHECK (ended_at >= started_at),
  CONSTRAINT terminal_sessions_hash_size CHECK (octet_length(recording_sha256) = 32)
);
CREATE INDEX terminal_sessions_user ON countersign.terminal_sessions (tenant_id, user_id, id);
SELECT countersign.protect('countersign.terminal_sessions');
GRANT SELECT, INSERT, UPDATE ON countersign.terminal_sessions TO countersign_app;

-- What is secret in a channel's configuration is a credential.
CREATE TABLE countersign.notification_channels (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  channel_type text NOT NULL,
  configuration jsonb NOT NULL,
  credential_id uuid,
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT notification_channels_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT notification_channels_tenant_fk FOREIGN KEY (tenant_id)
    REFERENCES countersign.tenants (id),
  CONSTRAINT notification_channels_credential_fk FOREIGN KEY (tenant_id, credential_id)
    REFERENCES countersign.credentials (tenant_id, id),
  CONSTRAINT notification_channels_name_key UNIQUE (tenant_id, name),
  CONSTRAINT notification_channels_type_word
    CHECK (channel_type IN ('email', 'slack', 'webhook', 'pagerduty'))
);
SELECT countersign.protect('countersign.notification_channels');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.notification_channels TO countersign_app;

CREATE TABLE countersign.notifications (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  finding_id uuid,
  intent_id uuid,
  approval_id uuid,
  channel_id uuid,
  notification_type text NOT NULL,
  subject text,
  message text,
  priority text,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  sent_at timestamptz,
  delivered_at timestamptz,
  read_at timestamptz,
  CONSTRAINT notifications_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT notifications_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT notifications_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT notifications_intent_fk FOREIGN KEY (tenant_id, intent_id)
    REFERENCES countersign.intents (tenant_id, id),
  CONSTRAINT notifications_approval_fk FOREIGN KEY (tenant_id, approval_id)
    REFERENCES countersign.approvals (tenant_id, id),
  CONSTRAINT notifications_channel_fk FOREIGN KEY (tenant_id, channel_id)
    REFERENCES countersign.notification_channels (tenant_id, id) ON DELETE SET NULL (channel_id),
  CONSTRAINT notifications_type_word
    CHECK (notification_type IN ('alert', 'summary', 'escalation')),
  CONSTRAINT notifications_priority_word
    CHECK (priority IN ('low', 'medium', 'high', 'critical'))
);
CREATE INDEX notifications_finding ON countersign.notifications (tenant_id, finding_id);
CREATE INDEX notifications_channel ON countersign.notifications (tenant_id, channel_id);
SELECT countersign.protect('countersign.notifications');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.notifications TO countersign_app;

CREATE TABLE countersign.schedules (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  runbook_id uuid NOT NULL,
  cron text NOT NULL,
  timezone text NOT NULL DEFAULT 'UTC',
  targets jsonb NOT NULL DEFAULT '[]',
  variables jsonb NOT NULL DEFAULT '{}',
  enabled boolean NOT NULL DEFAULT true,
  last_run_at timestamptz,
  next_run_at timestamptz,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT schedules_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT schedules_runbook_fk FOREIGN KEY (tenant_id, runbook_id)
    REFERENCES countersign.runbooks (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT schedules_creator_fk FOREIGN KEY (tenant_id, created_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT schedules_name_key UNIQUE (tenant_id, name)
);
CREATE INDEX schedules_due ON countersign.schedules (tenant_id, next_run_at) WHERE enabled;
SELECT countersign.protect('countersign.schedules');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.schedules TO countersign_app;

-- Settings of a tenant. What is secret is a credential and never here.
CREATE TABLE countersign.system_config (
  tenant_id uuid NOT NULL,
  key text NOT NULL,
  value jsonb NOT NULL,
  updated_by uuid,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT system_config_pk PRIMARY KEY (tenant_id, key),
  CONSTRAINT system_config_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT system_config_actor_fk FOREIGN KEY (tenant_id, updated_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT system_config_key_shape CHECK (key ~ '^[a-z][a-z0-9_.]{0,49}$')
);
SELECT countersign.protect('countersign.system_config');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.system_config TO countersign_app;

-- Document 003 refers to a usage log it does not define: what a quota is counted from.
CREATE TABLE countersign.usage_logs (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  api_key_id uuid,
  actor_id uuid NOT NULL,
  endpoint text NOT NULL,
  units integer NOT NULL DEFAULT 1,
  -- The month it counts in, as its first day.
  period date NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT usage_logs_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT usage_logs_key_fk FOREIGN KEY (tenant_id, api_key_id)
    REFERENCES countersign.api_keys (tenant_id, id),
  CONSTRAINT usage_logs_actor_fk FOREIGN KEY (tenant_id, actor_id)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT usage_logs_units_positive CHECK (units > 0)
) PARTITION BY RANGE (id);
CREATE INDEX usage_logs_period ON countersign.usage_logs (tenant_id, period, api_key_id);
SELECT countersign.protect('countersign.usage_logs');
SELECT countersign.keep_by_month('countersign.usage_logs');
GRANT SELECT, INSERT ON countersign.usage_logs TO countersign_app;

-- For lenses and for tracing a decision through other systems.
ALTER TABLE countersign.decisions ADD COLUMN trace_id text;
-- A plan in words, where whoever made it wrote some.
ALTER TABLE countersign.plans ADD COLUMN plan_text text;

-- The first months.
SELECT countersign.add_partitions(3);
