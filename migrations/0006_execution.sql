-- Running plans: leases, attempts, output, evidence. design: attempts are written before effects.

CREATE TABLE countersign.executions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  intent_id uuid NOT NULL,
  plan_id uuid NOT NULL,
  decision_id uuid NOT NULL,
  approval_id uuid,
  runbook_id uuid,
  runbook_version integer,
  finding_id uuid,
  trigger_id uuid,
  mode text NOT NULL,
  state text NOT NULL,
  plan_hash bytea NOT NULL,
  bound_hash bytea NOT NULL,
  lease_owner text,
  lease_epoch bigint NOT NULL DEFAULT 0,
  lease_until timestamptz,
  next_run_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- When the whole plan must be done; set at the start.
  deadline timestamptz,
  -- Since when it waits for a person; the deadline moves on by that time.
  paused_at timestamptz,
  cancel_requested boolean NOT NULL DEFAULT false,
  cancel_requested_by uuid,
  rollback_reason text,
  initiated_by uuid NOT NULL,
  context_vars jsonb NOT NULL DEFAULT '{}',
  error_message text,
  output_summary text,
  -- The last number given out in execution_events.
  event_seq bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at timestamptz,
  completed_at timestamptz,
  duration_ms bigint,
  CONSTRAINT executions_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT executions_plan_key UNIQUE (tenant_id, plan_id),
  CONSTRAINT executions_intent_fk FOREIGN KEY (tenant_id, intent_id)
    REFERENCES countersign.intents (tenant_id, id),
  CONSTRAINT executions_plan_fk FOREIGN KEY (tenant_id, plan_id)
    REFERENCES countersign.plans (tenant_id, id),
  CONSTRAINT executions_decision_fk FOREIGN KEY (tenant_id, decision_id)
    REFERENCES countersign.decisions (tenant_id, id),
  CONSTRAINT executions_approval_fk FOREIGN KEY (tenant_id, approval_id)
    REFERENCES countersign.approvals (tenant_id, id),
  CONSTRAINT executions_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id),
  CONSTRAINT executions_initiator_fk FOREIGN KEY (tenant_id, initiated_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT executions_mode_word CHECK (mode IN ('auto', 'semi_auto', 'manual')),
  CONSTRAINT executions_state_word CHECK (state IN (
    'queued', 'preflight', 'awaiting_approval', 'approved', 'in_progress', 'verifying',
    'completed', 'blocked', 'denied', 'expired', 'cancelled', 'failed', 'timed_out',
    'rolling_back', 'rolled_back', 'partially_rolled_back', 'rollback_failed', 'needs_human'))
);
CREATE INDEX executions_recent ON countersign.executions (tenant_id, id DESC);
CREATE INDEX executions_runbook ON countersign.executions (tenant_id, runbook_id, id DESC);
-- Finds the tenants with executions to work on by hopping over the index, then each one's oldest.
CREATE INDEX executions_claimable ON countersign.executions (tenant_id, next_run_at)
  WHERE state IN ('approved', 'in_progress', 'verifying', 'rolling_back');
SELECT countersign.protect('countersign.executions');
GRANT SELECT, INSERT, UPDATE ON countersign.executions TO countersign_app;

-- A worker serves all tenants: it may take the next free execution, and learns no more than ids.
CREATE POLICY queue ON countersign.executions TO countersign_queue USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id, id, state, next_run_at, lease_epoch, lease_until),
  UPDATE (lease_owner, lease_epoch, lease_until) ON countersign.executions TO countersign_queue;

-- Leases one execution. Tenants take turns as with jobs: first those with the fewest executions
-- under way, and by lot among equals, so that a tenant with a thousand of them does not delay
-- another's only one.
CREATE FUNCTION countersign.claim_execution(worker text, ttl interval)
RETURNS TABLE (tenant_id uuid, execution_id uuid, epoch bigint, state text)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $$
  WITH RECURSIVE waiting AS (
    (SELECT c.tenant_id FROM countersign.executions c
     WHERE c.state IN ('approved', 'in_progress', 'verifying', 'rolling_back')
     ORDER BY c.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT c.tenant_id FROM countersign.executions c
            WHERE c.state IN ('approved', 'in_progress', 'verifying', 'rolling_back')
              AND c.tenant_id > w.tenant_id
            ORDER BY c.tenant_id LIMIT 1)
    FROM waiting w
    WHERE w.tenant_id IS NOT NULL
  ),
  -- A few of each tenant, not locked yet: another worker may be taking the first.
  candidate AS MATERIALIZED (
    SELECT head.tenant_id, head.id, head.turn, busy.executions AS under_way, turns.lot
    FROM waiting w
    CROSS JOIN LATERAL (SELECT random() AS lot WHERE w.tenant_id IS NOT NULL) turns
    CROSS JOIN LATERAL (
      SELECT count(*) AS executions FROM countersign.executions c
      WHERE c.tenant_id = w.tenant_id
        AND c.state IN ('approved', 'in_progress', 'verifying', 'rolling_back')
        AND c.lease_until >= clock_timestamp()
    ) busy
    CROSS JOIN LATERAL (
      SELECT c.tenant_id, c.id, row_number() OVER (ORDER BY c.next_run_at, c.id) AS turn
      FROM countersign.executions c
      WHERE c.tenant_id = w.tenant_id
        AND c.state IN ('approved', 'in_progress', 'verifying', 'rolling_back')
        AND c.next_run_at <= clock_timestamp()
        AND (c.lease_until IS NULL OR c.lease_until < clock_timestamp())
      ORDER BY c.next_run_at, c.id
      LIMIT 8
    ) head
  ),
  free AS MATERIALIZED (
    SELECT e.tenant_id, e.id
    FROM candidate c
    JOIN countersign.executions e ON e.tenant_id = c.tenant_id AND e.id = c.id
    -- Once more, for the row as it is when it is locked.
    WHERE e.state IN ('approved', 'in_progress', 'verifying', 'rolling_back')
      AND e.next_run_at <= clock_timestamp()
      AND (e.lease_until IS NULL OR e.lease_until < clock_timestamp())
    ORDER BY c.under_way + c.turn, c.lot, c.turn
    LIMIT 1
    FOR UPDATE OF e SKIP LOCKED
  )
  UPDATE countersign.executions e
  SET lease_owner = worker,
      lease_epoch = e.lease_epoch + 1,
      lease_until = clock_timestamp() + ttl
  FROM free
  WHERE e.tenant_id = free.tenant_id AND e.id = free.id
  RETURNING e.tenant_id, e.id, e.lease_epoch, e.state
$$;
SELECT countersign.entrust('countersign.claim_execution(text, interval)', 'countersign_queue');

CREATE TABLE countersign.step_runs (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  execution_id uuid NOT NULL,
  step_order integer NOT NULL,
  step_name text NOT NULL,
  stage text NOT NULL,
  resource_id uuid NOT NULL,
  target_name text NOT NULL,
  state text NOT NULL DEFAULT 'pending',
  exit_code integer,
  -- The first part of the output, for people and for later steps; the whole is an object.
  stdout text,
  stderr text,
  truncated boolean NOT NULL DEFAULT false,
  retry_attempt integer NOT NULL DEFAULT 0,
  -- The order of completion within the execution: rollback goes through it backwards.
  completed_seq bigint,
  -- Not to be tried again before this.
  next_at timestamptz,
  error text,
  started_at timestamptz,
  completed_at timestamptz,
  duration_ms bigint,
  CONSTRAINT step_runs_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT step_runs_execution_fk FOREIGN KEY (tenant_id, execution_id)
    REFERENCES countersign.executions (tenant_id, id),
  CONSTRAINT step_runs_resource_fk FOREIGN KEY (tenant_id, resource_id)
    REFERENCES countersign.resources (tenant_id, id),
  CONSTRAINT step_runs_once_key UNIQUE (tenant_id, execution_id, step_order, resource_id),
  CONSTRAINT step_runs_stage_word CHECK (stage IN ('act', 'verify')),
  CONSTRAINT step_runs_state_word CHECK (state IN (
    'pending', 'running', 'succeeded', 'failed', 'skipped', 'timed_out', 'cancelled', 'unknown',
    'undone', 'undo_failed'))
);
SELECT countersign.protect('countersign.step_runs');
GRANT SELECT, INSERT, UPDATE ON countersign.step_runs TO countersign_app;

CREATE TABLE countersign.attempts (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  execution_id uuid NOT NULL,
  step_run_id uuid NOT NULL,
  direction text NOT NULL,
  attempt_no integer NOT NULL,
  epoch bigint NOT NULL,
  token text NOT NULL,
  state text NOT NULL DEFAULT 'intent',
  -- True once the target was seen to have started it (a guard that is gone later means unknown),
  -- false once it certainly did not, null as long as nobody knows.
  started boolean,
  -- When it must be over, the time the target needs to answer included.
  deadline timestamptz NOT NULL,
  -- What was said about an attempt whose end is not known, and by whom; by nobody when its
  -- semantics alone lets it run again.
  resolution text,
  resolved_by uuid,
  recovered boolean NOT NULL DEFAULT false,
  exit_code integer,
  -- Whether its end was seen on the target: it exited, or was stopped at its timeout.
  end_seen boolean NOT NULL DEFAULT false,
  output_ref text,
  output_sha256 bytea,
  error text,
  opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  closed_at timestamptz,
  CONSTRAINT attempts_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT attempts_step_run_fk FOREIGN KEY (tenant_id, step_run_id)
    REFERENCES countersign.step_runs (tenant_id, id),
  CONSTRAINT attempts_execution_fk FOREIGN KEY (tenant_id, execution_id)
    REFERENCES countersign.executions (tenant_id, id),
  CONSTRAINT attempts_no_key UNIQUE (tenant_id, step_run_id, direction, attempt_no),
  CONSTRAINT attempts_token_key UNIQUE (tenant_id, token),
  CONSTRAINT attempts_direction_word CHECK (direction IN ('do', 'undo')),
  CONSTRAINT attempts_state_word
    CHECK (state IN ('intent', 'succeeded', 'failed', 'fenced', 'unknown')),
  CONSTRAINT attempts_resolver_fk FOREIGN KEY (tenant_id, resolved_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT attempts_resolution_word
    CHECK (resolution IN ('mark_succeeded', 'mark_failed', 'retry'))
);
CREATE UNIQUE INDEX attempts_one_open ON countersign.attempts (tenant_id, step_run_id, direction)
  WHERE state = 'intent';
CREATE INDEX attempts_execution ON countersign.attempts (tenant_id, execution_id);
SELECT countersign.protect('countersign.attempts');
GRANT SELECT, INSERT, UPDATE ON countersign.attempts TO countersign_app;

CREATE TABLE countersign.tool_calls (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  execution_id uuid NOT NULL,
  attempt_id uuid NOT NULL,
  tool_name text NOT NULL,
  input_ref text,
  input_sha256 bytea,
  output_ref text,
  output_sha256 bytea,
  status text NOT NULL,
  sandbox_id text,
  started_at timestamptz NOT NULL,
  completed_at timestamptz,
  CONSTRAINT tool_calls_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT tool_calls_execution_fk FOREIGN KEY (tenant_id, execution_id)
    REFERENCES countersign.executions (tenant_id, id),
  CONSTRAINT tool_calls_attempt_fk FOREIGN KEY (tenant_id, attempt_id)
    REFERENCES countersign.attempts (tenant_id, id),
  CONSTRAINT tool_calls_status_word CHECK (status IN ('pending', 'running', 'failed', 'succeeded'))
);
CREATE INDEX tool_calls_execution ON countersign.tool_calls (tenant_id, execution_id);
SELECT countersign.protect('countersign.tool_calls');
GRANT SELECT, INSERT, UPDATE ON countersign.tool_calls TO countersign_app;

-- What happened, in order, for people who watch. Written by the lease holder alone.
CREATE TABLE countersign.execution_events (
  tenant_id uuid NOT NULL,
  execution_id uuid NOT NULL,
  seq bigint NOT NULL,
  ts timestamptz NOT NULL DEFAULT clock_timestamp(),
  kind text NOT NULL,
  step_run_id uuid,
  message text NOT NULL,
  data jsonb NOT NULL DEFAULT '{}',
  CONSTRAINT execution_events_pk PRIMARY KEY (tenant_id, execution_id, seq),
  CONSTRAINT execution_events_execution_fk FOREIGN KEY (tenant_id, execution_id)
    REFERENCES countersign.executions (tenant_id, id)
);
SELECT countersign.protect('countersign.execution_events');
GRANT SELECT, INSERT ON countersign.execution_events TO countersign_app;

CREATE TABLE countersign.evidence (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  execution_id uuid NOT NULL,
  step_run_id uuid,
  type text NOT NULL,
  query text NOT NULL,
  result_ref text NOT NULL,
  sha256 bytea NOT NULL,
  link text,
  collected_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT evidence_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT evidence_execution_fk FOREIGN KEY (tenant_id, execution_id)
    REFERENCES countersign.executions (tenant_id, id),
  CONSTRAINT evidence_step_run_fk FOREIGN KEY (tenant_id, step_run_id)
    REFERENCES countersign.step_runs (tenant_id, id),
  CONSTRAINT evidence_type_word CHECK (
    type IN ('promql', 'traceql', 'argocd', 'k8s', 'cloudtrail', 'git', 'log')),
  CONSTRAINT evidence_once_key UNIQUE (tenant_id, execution_id, step_run_id, type, query),
  CONSTRAINT evidence_hash_size CHECK (octet_length(sha256) = 32)
);
CREATE INDEX evidence_execution ON countersign.evidence (tenant_id, execution_id);
SELECT countersign.protect('countersign.evidence');
GRANT SELECT, INSERT ON countersign.evidence TO countersign_app;
