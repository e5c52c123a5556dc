-- Two more roles: one retires what is old, one reads reports.
--
-- countersign_retention owns the functions that take rows out of the database once they are
-- archived. countersign_report is a login that reads, in one tenant's room at a time.

DO $$
BEGIN
  IF to_regrole('countersign_retention') IS NULL OR to_regrole('countersign_report') IS NULL THEN
    RAISE EXCEPTION 'the roles countersign_retention and countersign_report are missing'
      USING HINT = 'run `countersign db roles` before `countersign db migrate`';
  END IF;
END $$;

GRANT USAGE ON SCHEMA countersign TO countersign_retention, countersign_report;

-- As before, and the wall between tenants stands in front of reports, too. What reports may read
-- is granted table by table: a new table is shut to them until a migration opens it.
CREATE OR REPLACE FUNCTION countersign.protect(target regclass, tenant_column text DEFAULT 'tenant_id')
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  mine text := format(
    '%I = (SELECT NULLIF(current_setting(''app.tenant_id'', true), '''')::uuid)', tenant_column);
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY app ON %s TO countersign_app USING (true) WITH CHECK (true)', target);
  EXECUTE format('CREATE POLICY report ON %s FOR SELECT TO countersign_report USING (true)', target);
  EXECUTE format(
    'CREATE POLICY tenant ON %s AS RESTRICTIVE TO countersign_app, countersign_report '
    'USING (%s) WITH CHECK (%s)', target, mine, mine);
END $$;

DO $$
DECLARE
  target regclass;
BEGIN
  FOR target IN
    SELECT p.polrelid::regclass FROM pg_catalog.pg_policy p
    JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
    WHERE c.relnamespace = 'countersign'::regnamespace AND p.polname = 'tenant'
    ORDER BY c.relname
  LOOP
    EXECUTE format('ALTER POLICY tenant ON %s TO countersign_app, countersign_report', target);
    EXECUTE format(
      'CREATE POLICY report ON %s FOR SELECT TO countersign_report USING (true)', target);
  END LOOP;
END $$;

GRANT EXECUTE ON FUNCTION countersign.enter_tenant(uuid) TO countersign_report;

-- What reports read: every column but those that hold a secret, sealed or hashed.
DO $$
DECLARE
  target text;
  readable text;
  secret CONSTANT text[] := ARRAY[
    'users.password_hash', 'api_keys.key_hash', 'user_sessions.token_hash',
    'credentials.wrapped_dek', 'credentials.nonce', 'credentials.ciphertext', 'audit_events.mac'];
BEGIN
  FOREACH target IN ARRAY ARRAY[
    'tenants', 'actors', 'users', 'user_sessions', 'api_keys', 'system_config', 'environments',
    'resources', 'connections', 'credentials', 'host_keys', 'resource_edges', 'services',
    'iac_repositories', 'iac_resources', 'alert_sources', 'alert_rules', 'findings', 'alerts',
    'quarantined_alerts', 'violations', 'exceptions', 'policies', 'drift_events', 'drift_changes',
    'drift_metrics_daily', 'correlations', 'operational_context', 'context_snapshots',
    'cause_analyses', 'recommendations', 'cost_timeseries', 'notifications',
    'notification_channels', 'runbooks', 'runbook_steps', 'runbook_triggers', 'runbook_versions',
    'runbook_trigger_starts', 'schedules', 'policy_bundles', 'intents', 'plans', 'plan_steps',
    'risk_assessments', 'decisions', 'approvals', 'approval_votes', 'circuit_breakers',
    'blackout_windows', 'rate_limits', 'rate_slots', 'executions', 'step_runs', 'attempts',
    'tool_calls', 'execution_events', 'evidence', 'terminal_sessions', 'outcomes', 'beta_state',
    'ml_models', 'ml_predictions', 'ml_performance_metrics', 'llm_providers', 'chat_sessions',
    'chat_messages', 'usage_logs', 'jobs', 'audit_events', 'audit_heads', 'audit_checkpoints']
  LOOP
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO STRICT readable
    FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = format('countersign.%I', target)::regclass
      AND a.attnum > 0 AND NOT a.attisdropped
      AND NOT target || '.' || a.attname = ANY (secret);
    IF EXISTS (SELECT 1 FROM unnest(secret) AS s (named) WHERE s.named LIKE target || '.%') THEN
      EXECUTE format('GRANT SELECT (%s) ON countersign.%I TO countersign_report', readable, target);
    ELSE
      EXECUTE format('GRANT SELECT ON countersign.%I TO countersign_report', target);
    END IF;
  END LOOP;
END $$;

-- The lenses see with their reader's eyes, so that reports see one tenant through them, too.
GRANT SELECT ON countersign.execution_stats TO countersign_report;
CREATE OR REPLACE FUNCTION countersign.open_lens(lens text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO countersign_app, countersign_report', lens);
  EXECUTE format(
    'GRANT SELECT ON ALL TABLES IN SCHEMA %I TO countersign_app, countersign_report', lens);
END $$;
SELECT countersign.open_lens(lens) FROM unnest(ARRAY[
  'lens_assistant', 'lens_governance', 'lens_aiops', 'lens_decision', 'lens_drift']) AS lens;
