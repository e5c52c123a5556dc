-- How long things are kept, what keeps them longer, and where they went.

-- What a tenant wants otherwise than by default. The defaults are the program's.
CREATE TABLE countersign.retention_rules (
  tenant_id uuid NOT NULL,
  class text NOT NULL,
  -- Days, or versions of a model.
  keep integer NOT NULL,
  updated_by uuid NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT retention_rules_pk PRIMARY KEY (tenant_id, class),
  CONSTRAINT retention_rules_actor_fk FOREIGN KEY (tenant_id, updated_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT retention_rules_class_word CHECK (class IN (
    'findings', 'correlations', 'predictions', 'conversations', 'notifications', 'usage', 'costs',
    'evidence', 'audit', 'models')),
  CONSTRAINT retention_rules_keep_positive CHECK (keep > 0)
);
SELECT countersign.protect('countersign.retention_rules');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.retention_rules TO countersign_app;
COMMENT ON TABLE countersign.retention_rules IS
  'How long a tenant keeps what, where it is not the default. | – | kept';

-- While one is in force, nothing of what it covers is archived away or deleted.
CREATE TABLE countersign.legal_holds (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  -- Null: everything.
  class text,
  reason text NOT NULL,
  set_by uuid NOT NULL,
  set_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  lifted_by uuid,
  lifted_at timestamptz,
  lift_reason text,
  CONSTRAINT legal_holds_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT legal_holds_setter_fk FOREIGN KEY (tenant_id, set_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT legal_holds_lifter_fk FOREIGN KEY (tenant_id, lifted_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT legal_holds_class_word CHECK (class IN (
    'findings', 'correlations', 'predictions', 'conversations', 'notifications', 'usage', 'costs',
    'evidence', 'audit', 'models')),
  CONSTRAINT legal_holds_lifted_whole CHECK (
    (lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL) = (lift_reason IS NULL))
);
CREATE INDEX legal_holds_in_force ON countersign.legal_holds (tenant_id) WHERE lifted_at IS NULL;
SELECT countersign.protect('countersign.legal_holds');
GRANT SELECT, INSERT, UPDATE (lifted_by, lifted_at, lift_reason) ON countersign.legal_holds
  TO countersign_app;
COMMENT ON TABLE countersign.legal_holds IS
  'What must be kept until somebody lifts the hold, and why. | – | kept';

-- The catalogue of what went to the object store. A row comes before its object, and the rows it
-- tells of leave the database last.
CREATE TABLE countersign.archives (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject text NOT NULL,
  class text NOT NULL,
  state text NOT NULL DEFAULT 'planned',
  -- The things whose rows it holds; or the first id and the one after the last.
  roots uuid[] NOT NULL DEFAULT '{}',
  -- Of the audit log: the first place and the one after the last.
  first_seq bigint,
  end_seq bigint,
  object_key text NOT NULL,
  -- SHA-256 of the object, of the manifest beside it, and of the lines before compression.
  sha256 bytea,
  manifest_sha256 bytea,
  content_sha256 bytea,
  -- Of ranges: SHA-256 over the ids, in order, joined by commas.
  ids_sha256 bytea,
  size_bytes bigint,
  row_count bigint,
  row_counts jsonb NOT NULL DEFAULT '{}',
  planned_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  stored_at timestamptz,
  removed_at timestamptz,
  -- Until when a copy is here for reading.
  restored_until timestamptz,
  CONSTRAINT archives_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT archives_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT archives_state_word CHECK (state IN ('planned', 'stored', 'removed')),
  CONSTRAINT archives_hash_sizes CHECK (
    octet_length(sha256) = 32 AND octet_length(manifest_sha256) = 32
    AND octet_length(content_sha256) = 32),
  CONSTRAINT archives_stored_whole CHECK (
    state = 'planned' OR (stored_at IS NOT NULL AND sha256 IS NOT NULL AND row_count IS NOT NULL)),
  CONSTRAINT archives_range_order CHECK (end_seq > first_seq)
);
CREATE INDEX archives_recent ON countersign.archives (tenant_id, id DESC);
CREATE INDEX archives_unfinished ON countersign.archives (tenant_id, id) WHERE state <> 'removed';
SELECT countersign.protect('countersign.archives');
GRANT SELECT, INSERT, UPDATE ON countersign.archives TO countersign_app;
COMMENT ON TABLE countersign.archives IS
  'What went to the object store, with its checksums. | – | kept';

-- Copies of archived rows, for reading. Never the tables they came from.
CREATE TABLE countersign.restored_rows (
  tenant_id uuid NOT NULL,
  archive_id uuid NOT NULL,
  n bigint NOT NULL,
  table_name text NOT NULL,
  -- As it was: `json_populate_record(NULL::countersign.findings, row)` makes columns of it.
  row json NOT NULL,
  CONSTRAINT restored_rows_pk PRIMARY KEY (tenant_id, archive_id, n),
  CONSTRAINT restored_rows_archive_fk FOREIGN KEY (tenant_id, archive_id)
    REFERENCES countersign.archives (tenant_id, id)
);
SELECT countersign.protect('countersign.restored_rows');
GRANT SELECT, INSERT, DELETE ON countersign.restored_rows TO countersign_app;
COMMENT ON TABLE countersign.restored_rows IS
  'Archived rows, brought back for reading. | – | seven days';

GRANT SELECT ON countersign.retention_rules, countersign.legal_holds, countersign.archives,
  countersign.restored_rows TO countersign_report;

-- What belongs to a thing that is retired, in the order in which it leaves: whoever refers goes
-- before whom it refers to. `pick` says which rows, of the tenant $1 and the roots $2.
CREATE FUNCTION countersign.retired_with(subject text)
RETURNS TABLE (place integer, table_name text, pick text)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
  SELECT (row_number() OVER (PARTITION BY p.subject))::integer, p.table_name, p.pick
  FROM (VALUES
    ('findings', 'alerts', 't.finding_id = ANY ($2)'),
    ('findings', 'violations', 't.finding_id = ANY ($2)'),
    ('findings', 'drift_changes', 't.finding_id = ANY ($2)'),
    ('findings', 'drift_events', 't.finding_id = ANY ($2)'),
    ('findings', 'cause_analyses', 't.finding_id = ANY ($2)'),
    ('findings', 'correlations', 't.finding_id = ANY ($2)'),
    ('findings', 'operational_context', 't.finding_id = ANY ($2)'),
    ('findings', 'ml_predictions', 't.finding_id = ANY ($2)'),
    ('findings', 'recommendations', 't.finding_id = ANY ($2)'),
    ('findings', 'notifications', 't.finding_id = ANY ($2)'),
    ('findings', 'findings', 't.id = ANY ($2)'),
    ('recommendations', 'recommendations', 't.id = ANY ($2)'),
    ('quarantined_alerts', 'quarantined_alerts', 't.id = ANY ($2)'),
    ('context_snapshots', 'context_snapshots', 't.id = ANY ($2)'),
    ('changes', 'tool_calls', 't.execution_id IN (SELECT e.id FROM countersign.executions e
       WHERE e.tenant_id = $1 AND e.intent_id = ANY ($2))'),
    ('changes', 'evidence', 't.execution_id IN (SELECT e.id FROM countersign.executions e
       WHERE e.tenant_id = $1 AND e.intent_id = ANY ($2))'),
    ('changes', 'attempts', 't.execution_id IN (SELECT e.id FROM countersign.executions e
       WHERE e.tenant_id = $1 AND e.intent_id = ANY ($2))'),
    ('changes', 'execution_events', 't.execution_id IN (SELECT e.id FROM countersign.executions e
       WHERE e.tenant_id = $1 AND e.intent_id = ANY ($2))'),
    ('changes', 'step_runs', 't.execution_id IN (SELECT e.id FROM countersign.executions e
       WHERE e.tenant_id = $1 AND e.intent_id = ANY ($2))'),
    ('changes', 'outcomes', 't.intent_id = ANY ($2)'),
    ('changes', 'executions', 't.intent_id = ANY ($2)'),
    ('changes', 'approval_votes', 't.approval_id IN (SELECT a.id FROM countersign.approvals a
       WHERE a.tenant_id = $1 AND a.intent_id = ANY ($2))'),
    ('changes', 'approvals', 't.intent_id = ANY ($2)'),
    ('changes', 'decisions', 't.intent_id = ANY ($2)'),
    ('changes', 'risk_assessments', 't.intent_id = ANY ($2)'),
    ('changes', 'plan_steps', 't.plan_id IN (SELECT p.id FROM countersign.plans p
       WHERE p.tenant_id = $1 AND p.intent_id = ANY ($2))'),
    ('changes', 'plans', 't.intent_id = ANY ($2)'),
    ('changes', 'intents', 't.id = ANY ($2)'),
    ('exceptions', 'exceptions', 't.id = ANY ($2)'),
    ('terminal_sessions', 'terminal_sessions', 't.id = ANY ($2)'),
    ('costs', 'cost_timeseries', 't.id = ANY ($2)'),
    ('models', 'ml_performance_metrics', 't.ml_model_id = ANY ($2)'),
    ('models', 'ml_predictions', 't.ml_model_id = ANY ($2)'),
    ('models', 'ml_models', 't.id = ANY ($2)'),
    ('conversations', 'chat_messages', 't.session_id = ANY ($2)'),
    ('conversations', 'chat_sessions', 't.id = ANY ($2)'),
    ('notifications', 'notifications', 't.id = ANY ($2)'),
    ('correlations', 'correlations', 't.id >= ($2)[1] AND t.id < ($2)[2]'),
    ('operational_context', 'operational_context', 't.id >= ($2)[1] AND t.id < ($2)[2]'),
    ('predictions', 'ml_predictions', 't.id >= ($2)[1] AND t.id < ($2)[2]'),
    ('usage', 'usage_logs', 't.id >= ($2)[1] AND t.id < ($2)[2]')
  ) AS p (subject, table_name, pick)
  WHERE p.subject = retired_with.subject
$$;
REVOKE ALL ON FUNCTION countersign.retired_with(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION countersign.retired_with(text)
  TO countersign_app, countersign_retention;

-- The retention role's own room: the tables things leave, what says that they may, and nothing else.
DO $$
DECLARE
  target text;
BEGIN
  FOREACH target IN ARRAY ARRAY[
    'alerts', 'violations', 'drift_changes', 'drift_events', 'cause_analyses', 'correlations',
    'operational_context', 'ml_predictions', 'recommendations', 'notifications', 'findings',
    'quarantined_alerts', 'context_snapshots', 'tool_calls', 'evidence', 'attempts',
    'execution_events', 'step_runs', 'outcomes', 'executions', 'approval_votes', 'approvals',
    'decisions', 'risk_assessments', 'plan_steps', 'plans', 'intents', 'exceptions',
    'terminal_sessions', 'cost_timeseries', 'ml_performance_metrics', 'ml_models',
    'chat_messages', 'chat_sessions', 'usage_logs']
  LOOP
    EXECUTE format('CREATE POLICY retention ON countersign.%I TO countersign_retention '
      'USING (true) WITH CHECK (false)', target);
    EXECUTE format('GRANT SELECT, DELETE ON countersign.%I TO countersign_retention', target);
  END LOOP;
END $$;
CREATE POLICY retention ON countersign.legal_holds FOR SELECT TO countersign_retention USING (true);
GRANT SELECT (tenant_id, class, lifted_at) ON countersign.legal_holds TO countersign_retention;
CREATE POLICY retention ON countersign.archives FOR SELECT TO countersign_retention USING (true);
GRANT SELECT (tenant_id, id, subject, state, roots, ids_sha256) ON countersign.archives
  TO countersign_retention;

-- Whether something keeps a tenant's things of a class. Whoever sets a hold locks it out first, so
-- that a removal under way is over before the hold is in force.
CREATE FUNCTION countersign.held(tenant uuid, wanted text)
RETURNS boolean LANGUAGE sql VOLATILE SET search_path = pg_catalog AS $$
  SELECT EXISTS (
    SELECT 1 FROM countersign.legal_holds h
    WHERE h.tenant_id = tenant AND h.lifted_at IS NULL AND (h.class IS NULL OR h.class = wanted))
$$;
REVOKE ALL ON FUNCTION countersign.held(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION countersign.held(uuid, text) TO countersign_app, countersign_retention;

CREATE FUNCTION countersign.hold_lock(tenant uuid)
RETURNS bigint LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
  SELECT hashtextextended('countersign.legal_holds ' || tenant::text, 0)
$$;

-- The rows of one's own tenant that belong to these roots, as lines of JSON; with `remove` they
-- leave the database with it, unless a hold keeps them.
CREATE FUNCTION countersign.retire(subject text, class text, roots uuid[], remove boolean)
RETURNS TABLE (table_name text, line text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  tenant uuid := NULLIF(current_setting('app.tenant_id', true), '')::uuid;
  part record;
BEGIN
  IF tenant IS NULL THEN
    RAISE EXCEPTION 'no tenant' USING ERRCODE = '42501';
  END IF;
  IF remove THEN
    PERFORM pg_advisory_xact_lock_shared(countersign.hold_lock(tenant));
    -- What belongs to a thing may be of another class, and a hold on that keeps the thing.
    IF countersign.held(tenant, class) OR EXISTS (
      SELECT 1 FROM countersign.retired_with(subject) r
      JOIN (VALUES ('correlations', 'correlations'), ('operational_context', 'correlations'),
        ('ml_predictions', 'predictions'), ('notifications', 'notifications'),
        ('evidence', 'evidence'), ('usage_logs', 'usage')) AS k (part, its)
        ON k.part = r.table_name
      WHERE countersign.held(tenant, k.its))
    THEN
      RAISE EXCEPTION 'a legal hold keeps this' USING ERRCODE = '23514', CONSTRAINT = 'legal_hold';
    END IF;
  END IF;
  FOR part IN
    SELECT r.table_name, r.pick FROM countersign.retired_with(subject) r ORDER BY r.place
  LOOP
    IF remove THEN
      RETURN QUERY EXECUTE format(
        'DELETE FROM countersign.%I t WHERE t.tenant_id = $1 AND (%s)
         RETURNING %L::text, row_to_json(t)::text',
        part.table_name, part.pick, part.table_name) USING tenant, roots;
    ELSE
      RETURN QUERY EXECUTE format(
        'SELECT %L::text, row_to_json(t)::text FROM countersign.%I t
         WHERE t.tenant_id = $1 AND (%s)',
        part.table_name, part.table_name, part.pick) USING tenant, roots;
    END IF;
  END LOOP;
END $$;
SELECT countersign.entrust(
  'countersign.retire(text, text, uuid[], boolean)', 'countersign_retention');

-- Whether a month of a table may go as one: every row in it is in an archive that is stored, and no
-- hold keeps any of it. An empty month may go.
CREATE FUNCTION countersign.month_archived(
  parent text, subject text, class text, first_id uuid, end_id uuid)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  tenant record;
  archived boolean;
BEGIN
  -- The first row that is nowhere else says no: most months have one, and it is found at once.
  EXECUTE format(
    'SELECT NOT EXISTS (
       SELECT 1 FROM countersign.%I t
       WHERE t.id >= $1 AND t.id < $2 AND NOT EXISTS (
         SELECT 1 FROM countersign.archives a
         WHERE a.tenant_id = t.tenant_id AND a.subject = $3 AND a.state = ''stored''
           AND t.id >= a.roots[1] AND t.id < a.roots[2]))',
    parent) INTO STRICT archived USING first_id, end_id, subject;
  IF NOT archived THEN
    RETURN false;
  END IF;
  FOR tenant IN EXECUTE format(
    'SELECT DISTINCT t.tenant_id AS id FROM countersign.%I t WHERE t.id >= $1 AND t.id < $2',
    parent) USING first_id, end_id
  LOOP
    PERFORM pg_advisory_xact_lock_shared(countersign.hold_lock(tenant.id));
    IF countersign.held(tenant.id, class) THEN
      RETURN false;
    END IF;
    -- A row outside every archive, or an archive of other rows than are here.
    EXECUTE format(
      'SELECT NOT EXISTS (
         SELECT 1 FROM countersign.%I t
         WHERE t.tenant_id = $1 AND t.id >= $2 AND t.id < $3 AND NOT EXISTS (
           SELECT 1 FROM countersign.archives a
           WHERE a.tenant_id = $1 AND a.subject = $4 AND a.state = ''stored''
             AND t.id >= a.roots[1] AND t.id < a.roots[2]))
       AND NOT EXISTS (
         SELECT 1 FROM countersign.archives a
         WHERE a.tenant_id = $1 AND a.subject = $4 AND a.state = ''stored''
           AND a.roots[1] < $3 AND a.roots[2] > $2
           AND a.ids_sha256 IS DISTINCT FROM (
             SELECT sha256(convert_to(string_agg(t.id::text, '','' ORDER BY t.id), ''UTF8''))
             FROM countersign.%I t
             WHERE t.tenant_id = $1 AND t.id >= a.roots[1] AND t.id < a.roots[2]))',
      parent, parent) INTO STRICT archived USING tenant.id, first_id, end_id, subject;
    IF NOT archived THEN
      RETURN false;
    END IF;
  END LOOP;
  RETURN true;
END $$;
SELECT countersign.entrust(
  'countersign.month_archived(text, text, text, uuid, uuid)', 'countersign_retention');
REVOKE ALL ON FUNCTION countersign.month_archived(text, text, text, uuid, uuid)
  FROM countersign_app;
GRANT EXECUTE ON FUNCTION countersign.month_archived(text, text, text, uuid, uuid)
  TO countersign_owner;

-- Drops a month of a table, when it may go: none of those that are made ahead, which begin with the
-- last one, and only months of the tables named here.
CREATE FUNCTION countersign.drop_month(parent text, month date)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  kept record;
  partition regclass := to_regclass(format(
    'countersign.%I', parent || to_char(month, '"_y"YYYY"m"MM')));
BEGIN
  SELECT k.subject, k.class INTO kept FROM (VALUES
    ('correlations', 'correlations', 'correlations'),
    ('operational_context', 'operational_context', 'correlations'),
    ('ml_predictions', 'predictions', 'predictions'),
    ('usage_logs', 'usage', 'usage'),
    ('drift_changes', '', 'findings'),
    ('chat_messages', '', 'conversations')) AS k (parent, subject, class)
  WHERE k.parent = drop_month.parent;
  IF NOT FOUND OR partition IS NULL
    OR month + interval '1 month' >= date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC')
  THEN
    RETURN false;
  END IF;
  -- A look first, so that nobody waits for a month that stays; then another one under the lock, so
  -- that nothing comes in or leaves between the look and the drop.
  IF NOT countersign.month_archived(parent, kept.subject, kept.class,
    countersign.first_id_at(month::timestamp AT TIME ZONE 'UTC'),
    countersign.first_id_at((month + interval '1 month') AT TIME ZONE 'UTC'))
  THEN
    RETURN false;
  END IF;
  EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', partition);
  IF NOT countersign.month_archived(parent, kept.subject, kept.class,
    countersign.first_id_at(month::timestamp AT TIME ZONE 'UTC'),
    countersign.first_id_at((month + interval '1 month') AT TIME ZONE 'UTC'))
  THEN
    RETURN false;
  END IF;
  EXECUTE format('DROP TABLE %s', partition);
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION countersign.drop_month(text, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION countersign.drop_month(text, date) TO countersign_app;

-- What is added to a thing while it leaves must keep it, not go with it unseen: the database empties
-- nothing by itself any more.
ALTER TABLE countersign.cause_analyses DROP CONSTRAINT cause_analyses_finding_fk,
  ADD CONSTRAINT cause_analyses_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id);
ALTER TABLE countersign.correlations DROP CONSTRAINT correlations_finding_fk,
  ADD CONSTRAINT correlations_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id);
ALTER TABLE countersign.operational_context DROP CONSTRAINT operational_context_finding_fk,
  ADD CONSTRAINT operational_context_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id);
ALTER TABLE countersign.ml_predictions DROP CONSTRAINT ml_predictions_finding_fk,
  ADD CONSTRAINT ml_predictions_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id);
ALTER TABLE countersign.recommendations DROP CONSTRAINT recommendations_finding_fk,
  ADD CONSTRAINT recommendations_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id);
ALTER TABLE countersign.notifications DROP CONSTRAINT notifications_finding_fk,
  ADD CONSTRAINT notifications_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id);
