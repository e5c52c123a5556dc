-- The gate: what was asked, what would be done, how risky it is, what was decided, who agreed.

CREATE TABLE countersign.policy_bundles (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  version integer NOT NULL,
  hash bytea NOT NULL,
  -- Path to Rego text.
  body jsonb NOT NULL,
  active_from timestamptz,
  created_by uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT policy_bundles_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT policy_bundles_version_key UNIQUE (tenant_id, name, version),
  CONSTRAINT policy_bundles_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT policy_bundles_creator_fk FOREIGN KEY (tenant_id, created_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT policy_bundles_hash_size CHECK (octet_length(hash) = 32)
);
CREATE INDEX policy_bundles_active ON countersign.policy_bundles (tenant_id, active_from DESC NULLS LAST);
SELECT countersign.protect('countersign.policy_bundles');
GRANT SELECT, INSERT, UPDATE ON countersign.policy_bundles TO countersign_app;

CREATE TABLE countersign.intents (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  deterministic_id text NOT NULL,
  intent_type text NOT NULL,
  payload jsonb NOT NULL,
  canonical_payload bytea NOT NULL,
  body_hash bytea NOT NULL,
  environment_id uuid,
  environment_class text NOT NULL,
  category text NOT NULL DEFAULT 'default',
  requester_actor_id uuid NOT NULL,
  trigger text NOT NULL,
  finding_id uuid,
  trigger_id uuid,
  runbook_id uuid,
  summary text NOT NULL,
  intent text NOT NULL DEFAULT '',
  constraints jsonb,
  provenance jsonb NOT NULL DEFAULT '{}',
  status text NOT NULL DEFAULT 'open',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  evaluated_at timestamptz,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT intents_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT intents_deterministic_id_key UNIQUE (tenant_id, deterministic_id),
  CONSTRAINT intents_environment_fk FOREIGN KEY (tenant_id, environment_id)
    REFERENCES countersign.environments (tenant_id, id),
  CONSTRAINT intents_requester_fk FOREIGN KEY (tenant_id, requester_actor_id)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT intents_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id),
  CONSTRAINT intents_runbook_fk FOREIGN KEY (tenant_id, runbook_id)
    REFERENCES countersign.runbooks (tenant_id, id),
  CONSTRAINT intents_class_word CHECK (environment_class IN ('dev', 'test', 'staging', 'prod')),
  CONSTRAINT intents_trigger_word CHECK (trigger IN ('manual', 'alert', 'webhook', 'scheduled')),
  CONSTRAINT intents_status_word
    CHECK (status IN ('open', 'denied', 'succeeded', 'failed', 'closed'))
);
CREATE INDEX intents_recent ON countersign.intents (tenant_id, id DESC);
CREATE INDEX intents_finding ON countersign.intents (tenant_id, finding_id);
SELECT countersign.protect('countersign.intents');
GRANT SELECT, INSERT, UPDATE ON countersign.intents TO countersign_app;

CREATE TABLE countersign.plans (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  intent_id uuid NOT NULL,
  version integer NOT NULL DEFAULT 1,
  plan_hash bytea NOT NULL,
  -- The canonical bytes of the whole plan: what is hashed is what is stored is what runs.
  document bytea NOT NULL,
  summary text NOT NULL,
  blast_radius jsonb NOT NULL,
  runbook_id uuid,
  runbook_version integer,
  author_actor_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT plans_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT plans_intent_fk FOREIGN KEY (tenant_id, intent_id)
    REFERENCES countersign.intents (tenant_id, id),
  CONSTRAINT plans_version_key UNIQUE (tenant_id, intent_id, version),
  CONSTRAINT plans_runbook_fk FOREIGN KEY (tenant_id, runbook_id)
    REFERENCES countersign.runbooks (tenant_id, id),
  CONSTRAINT plans_author_fk FOREIGN KEY (tenant_id, author_actor_id)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT plans_hash_size CHECK (octet_length(plan_hash) = 32)
);
CREATE INDEX plans_recent ON countersign.plans (tenant_id, id DESC);
SELECT countersign.protect('countersign.plans');
GRANT SELECT, INSERT ON countersign.plans TO countersign_app;

CREATE TABLE countersign.plan_steps (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  plan_id uuid NOT NULL,
  step_order integer NOT NULL,
  name text NOT NULL,
  stage text NOT NULL,
  action text NOT NULL,
  tool text NOT NULL,
  semantics text NOT NULL,
  input jsonb NOT NULL,
  preconditions jsonb NOT NULL DEFAULT '[]',
  rollback jsonb,
  evidence_required jsonb NOT NULL DEFAULT '[]',
  limits jsonb NOT NULL DEFAULT '{}',
  CONSTRAINT plan_steps_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT plan_steps_plan_fk FOREIGN KEY (tenant_id, plan_id)
    REFERENCES countersign.plans (tenant_id, id),
  CONSTRAINT plan_steps_order_key UNIQUE (tenant_id, plan_id, step_order),
  CONSTRAINT plan_steps_stage_word CHECK (stage IN ('act', 'verify')),
  CONSTRAINT plan_steps_semantics_word CHECK (semantics IN ('read', 'idempotent', 'at_most_once'))
);
SELECT countersign.protect('countersign.plan_steps');
GRANT SELECT, INSERT ON countersign.plan_steps TO countersign_app;

CREATE TABLE countersign.risk_assessments (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  intent_id uuid NOT NULL,
  plan_id uuid,
  tier text NOT NULL,
  score float8 NOT NULL,
  verdict text NOT NULL,
  category text NOT NULL,
  reasons jsonb NOT NULL,
  components jsonb NOT NULL,
  alpha float8 NOT NULL,
  beta float8 NOT NULL,
  interval_low float8 NOT NULL,
  interval_high float8 NOT NULL,
  loss_approve float8 NOT NULL,
  loss_deny float8 NOT NULL,
  loss_escalate float8 NOT NULL,
  psi float8 NOT NULL,
  memory_success_rate float8,
  memory_weight float8,
  counterfactual jsonb,
  constants text NOT NULL,
  -- Every input, so that the score can be computed again bit for bit.
  inputs jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT risk_assessments_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT risk_assessments_intent_fk FOREIGN KEY (tenant_id, intent_id)
    REFERENCES countersign.intents (tenant_id, id),
  CONSTRAINT risk_assessments_plan_fk FOREIGN KEY (tenant_id, plan_id)
    REFERENCES countersign.plans (tenant_id, id),
  CONSTRAINT risk_assessments_tier_word
    CHECK (tier IN ('read', 'low', 'medium', 'high', 'critical')),
  CONSTRAINT risk_assessments_verdict_word
    CHECK (verdict IN ('allow', 'require_approval', 'deny')),
  CONSTRAINT risk_assessments_score_range CHECK (score BETWEEN 0 AND 1),
  CONSTRAINT risk_assessments_interval_range
    CHECK (0 <= interval_low AND interval_low <= interval_high AND interval_high <= 1)
);
CREATE INDEX risk_assessments_intent ON countersign.risk_assessments (tenant_id, intent_id);
SELECT countersign.protect('countersign.risk_assessments');
GRANT SELECT, INSERT ON countersign.risk_assessments TO countersign_app;

CREATE TABLE countersign.decisions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  intent_id uuid NOT NULL,
  plan_id uuid,
  risk_id uuid NOT NULL,
  verdict text NOT NULL,
  reasons jsonb NOT NULL,
  guard_results jsonb NOT NULL,
  constraints jsonb NOT NULL DEFAULT '{}',
  ttl_s integer,
  policy_bundle_id uuid,
  policy_hash bytea NOT NULL,
  approval_requirement jsonb,
  bound_hash bytea,
  -- The canonical bytes of the whole record, and the Ed25519 signature over them.
  canon bytea NOT NULL,
  signature text NOT NULL,
  key_fingerprint text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT decisions_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT decisions_intent_fk FOREIGN KEY (tenant_id, intent_id)
    REFERENCES countersign.intents (tenant_id, id),
  CONSTRAINT decisions_plan_fk FOREIGN KEY (tenant_id, plan_id)
    REFERENCES countersign.plans (tenant_id, id),
  CONSTRAINT decisions_risk_fk FOREIGN KEY (tenant_id, risk_id)
    REFERENCES countersign.risk_assessments (tenant_id, id),
  CONSTRAINT decisions_bundle_fk FOREIGN KEY (tenant_id, policy_bundle_id)
    REFERENCES countersign.policy_bundles (tenant_id, id),
  CONSTRAINT decisions_verdict_word CHECK (verdict IN ('allow', 'require_approval', 'deny'))
);
CREATE INDEX decisions_intent ON countersign.decisions (tenant_id, intent_id);
SELECT countersign.protect('countersign.decisions');
GRANT SELECT, INSERT ON countersign.decisions TO countersign_app;

-- Everybody behind an account. A person is the subject at the identity provider, so that two
-- accounts of one person are one person; without a subject, the account itself. Behind a service or
-- an agent is also whoever made one of its keys, so that nobody approves what their own key asked
-- for. It runs as the caller, within row-level security.
CREATE FUNCTION countersign.people_of(tenant uuid, actor uuid)
RETURNS text[] LANGUAGE sql STABLE STRICT SET search_path = pg_catalog AS $$
  WITH RECURSIVE behind AS (
    SELECT actor AS id
    UNION
    SELECT k.created_by
    FROM behind b
    JOIN countersign.actors a ON a.tenant_id = tenant AND a.id = b.id AND a.type <> 'user'
    JOIN countersign.api_keys k ON k.tenant_id = tenant AND k.actor_id = b.id
    WHERE k.created_by IS NOT NULL
  )
  SELECT array_agg(DISTINCT
    COALESCE(NULLIF(lower(u.upn), ''), NULLIF(lower(u.email), ''), b.id::text))
  FROM behind b
  LEFT JOIN countersign.users u ON u.tenant_id = tenant AND u.actor_id = b.id
$$;

-- The one person an account stands for: itself or, when it is a service or an agent, whoever made
-- its newest key. Keys that nobody in particular made leave it standing for itself.
CREATE FUNCTION countersign.person_of(tenant uuid, actor uuid)
RETURNS text LANGUAGE sql STABLE STRICT SET search_path = pg_catalog AS $$
  WITH RECURSIVE chain AS (
    SELECT actor AS id, 0 AS step
    UNION ALL
    SELECT newest.created_by, c.step + 1
    FROM chain c
    CROSS JOIN LATERAL (
      SELECT k.created_by
      FROM countersign.actors a
      JOIN countersign.api_keys k ON k.tenant_id = a.tenant_id AND k.actor_id = a.id
      WHERE a.tenant_id = tenant AND a.id = c.id AND a.type <> 'user' AND k.created_by IS NOT NULL
      ORDER BY k.created_at DESC, k.id DESC
      LIMIT 1
    ) newest
    -- A key that made itself ends here.
    WHERE c.step < 8
  )
  SELECT COALESCE(NULLIF(lower(u.upn), ''), NULLIF(lower(u.email), ''), c.id::text)
  FROM chain c
  LEFT JOIN countersign.users u ON u.tenant_id = tenant AND u.actor_id = c.id
  ORDER BY c.step DESC
  LIMIT 1
$$;
REVOKE ALL ON FUNCTION countersign.people_of(uuid, uuid), countersign.person_of(uuid, uuid)
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION countersign.people_of(uuid, uuid), countersign.person_of(uuid, uuid)
  TO countersign_app;

CREATE TABLE countersign.approvals (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  intent_id uuid NOT NULL,
  plan_id uuid NOT NULL,
  decision_id uuid NOT NULL,
  requester_actor_id uuid NOT NULL,
  author_actor_id uuid NOT NULL,
  status text NOT NULL DEFAULT 'pending',
  tier text NOT NULL,
  roles text[] NOT NULL,
  min_votes integer NOT NULL,
  bound_hash bytea NOT NULL,
  source text NOT NULL DEFAULT 'cli',
  reason text,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  decided_at timestamptz,
  CONSTRAINT approvals_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT approvals_intent_fk FOREIGN KEY (tenant_id, intent_id)
    REFERENCES countersign.intents (tenant_id, id),
  CONSTRAINT approvals_plan_fk FOREIGN KEY (tenant_id, plan_id)
    REFERENCES countersign.plans (tenant_id, id),
  CONSTRAINT approvals_decision_fk FOREIGN KEY (tenant_id, decision_id)
    REFERENCES countersign.decisions (tenant_id, id),
  CONSTRAINT approvals_requester_fk FOREIGN KEY (tenant_id, requester_actor_id)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT approvals_author_fk FOREIGN KEY (tenant_id, author_actor_id)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT approvals_status_word
    CHECK (status IN ('pending', 'approved', 'denied', 'expired', 'void')),
  CONSTRAINT approvals_tier_word CHECK (tier IN ('read', 'low', 'medium', 'high', 'critical')),
  CONSTRAINT approvals_source_word CHECK (source IN ('linear', 'ui', 'cli', 'slack', 'api', 'auto')),
  CONSTRAINT approvals_votes_positive CHECK (min_votes > 0)
);
-- One live request at a time: one that was voided may be followed by another for the same plan.
CREATE UNIQUE INDEX approvals_live_key ON countersign.approvals (tenant_id, plan_id)
  WHERE status IN ('pending', 'approved');
CREATE INDEX approvals_pending ON countersign.approvals (tenant_id, expires_at)
  WHERE status = 'pending';
CREATE INDEX approvals_recent ON countersign.approvals (tenant_id, id DESC);
SELECT countersign.protect('countersign.approvals');
GRANT SELECT, INSERT, UPDATE ON countersign.approvals TO countersign_app;

CREATE TABLE countersign.approval_votes (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  approval_id uuid NOT NULL,
  actor_id uuid NOT NULL,
  -- Whoever is behind the account: two accounts of one person have one vote.
  person text NOT NULL,
  decision text NOT NULL,
  note text NOT NULL DEFAULT '',
  source text NOT NULL DEFAULT 'api',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT approval_votes_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT approval_votes_approval_fk FOREIGN KEY (tenant_id, approval_id)
    REFERENCES countersign.approvals (tenant_id, id),
  CONSTRAINT approval_votes_actor_fk FOREIGN KEY (tenant_id, actor_id)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT approval_votes_once_key UNIQUE (tenant_id, approval_id, actor_id),
  CONSTRAINT approval_votes_person_key UNIQUE (tenant_id, approval_id, person),
  CONSTRAINT approval_votes_decision_word CHECK (decision IN ('approve', 'deny'))
);
SELECT countersign.protect('countersign.approval_votes');
GRANT SELECT, INSERT ON countersign.approval_votes TO countersign_app;

CREATE TABLE countersign.circuit_breakers (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  scope text NOT NULL,
  -- The runbook or resource id, the tool's name, or 'global'.
  scope_id text NOT NULL,
  state text NOT NULL DEFAULT 'closed',
  failure_count integer NOT NULL DEFAULT 0,
  success_count integer NOT NULL DEFAULT 0,
  last_failure_at timestamptz,
  opened_at timestamptz,
  half_open_at timestamptz,
  failure_threshold integer NOT NULL DEFAULT 5,
  success_threshold integer NOT NULL DEFAULT 3,
  reset_timeout_seconds integer NOT NULL DEFAULT 300,
  -- The present waiting time: doubled by each failure in half_open, at most an hour.
  current_timeout_seconds integer NOT NULL DEFAULT 300,
  manual_reason text,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT circuit_breakers_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT circuit_breakers_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT circuit_breakers_scope_key UNIQUE (tenant_id, scope, scope_id),
  CONSTRAINT circuit_breakers_scope_word CHECK (scope IN ('runbook', 'resource', 'tool', 'global')),
  CONSTRAINT circuit_breakers_state_word CHECK (state IN ('closed', 'open', 'half_open'))
);
SELECT countersign.protect('countersign.circuit_breakers');
GRANT SELECT, INSERT, UPDATE ON countersign.circuit_breakers TO countersign_app;

CREATE TABLE countersign.blackout_windows (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  kind text NOT NULL DEFAULT 'deny',
  -- Local date and time in `timezone`: a daily window is 22:00 there, summer and winter.
  start_time timestamp NOT NULL,
  end_time timestamp NOT NULL,
  timezone text NOT NULL DEFAULT 'UTC',
  recurrence text NOT NULL DEFAULT 'none',
  recurrence_pattern jsonb NOT NULL DEFAULT '{}',
  affected_servers jsonb NOT NULL DEFAULT '{}',
  affected_runbooks jsonb NOT NULL DEFAULT '{}',
  enabled boolean NOT NULL DEFAULT true,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT blackout_windows_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT blackout_windows_name_key UNIQUE (tenant_id, name),
  CONSTRAINT blackout_windows_creator_fk FOREIGN KEY (tenant_id, created_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT blackout_windows_order CHECK (end_time > start_time),
  CONSTRAINT blackout_windows_kind_word CHECK (kind IN ('deny', 'allow_only')),
  CONSTRAINT blackout_windows_recurrence_word
    CHECK (recurrence IN ('none', 'daily', 'weekly', 'monthly'))
);
SELECT countersign.protect('countersign.blackout_windows');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.blackout_windows TO countersign_app;

-- How many starts in how many seconds. The scope id `*` means each one by itself.
CREATE TABLE countersign.rate_limits (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  scope text NOT NULL,
  scope_id text NOT NULL,
  count integer NOT NULL,
  window_seconds integer NOT NULL,
  enabled boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT rate_limits_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT rate_limits_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT rate_limits_scope_key UNIQUE (tenant_id, scope, scope_id),
  CONSTRAINT rate_limits_scope_word CHECK (scope IN ('runbook', 'resource', 'tenant', 'global')),
  CONSTRAINT rate_limits_count_positive CHECK (count > 0),
  CONSTRAINT rate_limits_window_positive CHECK (window_seconds > 0)
);
SELECT countersign.protect('countersign.rate_limits');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.rate_limits TO countersign_app;

-- Starts that count against a limit or a cooldown: one row per scope and start.
CREATE TABLE countersign.rate_slots (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  scope text NOT NULL,
  scope_id text NOT NULL,
  execution_id uuid NOT NULL,
  taken_at timestamptz NOT NULL,
  CONSTRAINT rate_slots_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT rate_slots_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT rate_slots_once_key UNIQUE (tenant_id, scope, scope_id, execution_id)
);
CREATE INDEX rate_slots_execution ON countersign.rate_slots (tenant_id, execution_id);
CREATE INDEX rate_slots_window ON countersign.rate_slots (tenant_id, scope, scope_id, taken_at DESC);
SELECT countersign.protect('countersign.rate_slots');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.rate_slots TO countersign_app;
