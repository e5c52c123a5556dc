-- The decision API: intents that are judged here and carried out elsewhere, or not at all.

-- An intent that is advice is judged and recorded, and that is all: there is no plan of it, so there
-- is no approval and no execution, which both need one.
ALTER TABLE countersign.intents
  ADD COLUMN purpose text NOT NULL DEFAULT 'change',
  ADD CONSTRAINT intents_purpose_word CHECK (purpose IN ('change', 'advice')),
  ADD CONSTRAINT intents_purpose_key UNIQUE (tenant_id, id, purpose);
ALTER TABLE countersign.plans
  ADD COLUMN intent_purpose text NOT NULL DEFAULT 'change',
  ADD CONSTRAINT plans_not_of_advice CHECK (intent_purpose = 'change'),
  ADD CONSTRAINT plans_purpose_fk FOREIGN KEY (tenant_id, intent_id, intent_purpose)
    REFERENCES countersign.intents (tenant_id, id, purpose);

-- What an outside system says came of its change is its word: it is kept as such, with what it was
-- seen by. Only what somebody else has looked at counts as verified.
ALTER TABLE countersign.outcomes
  ADD COLUMN evidence jsonb NOT NULL DEFAULT '[]',
  DROP CONSTRAINT outcomes_verifier_word,
  ADD CONSTRAINT outcomes_verifier_word
    CHECK (verified_by IN ('machine', 'person', 'nobody', 'reporter')),
  ADD CONSTRAINT outcomes_reported_unverified CHECK (verified_by <> 'reporter' OR NOT verified);
CREATE INDEX outcomes_memory ON countersign.outcomes (tenant_id, category, id DESC) WHERE verified;

-- Words nobody verified are counted apart: they teach the advice outside systems get (document 003),
-- and never what may run here.
ALTER TABLE countersign.beta_state
  ADD COLUMN reported_failures float8 NOT NULL DEFAULT 0,
  ADD COLUMN reported_successes float8 NOT NULL DEFAULT 0,
  ADD COLUMN reported_n bigint NOT NULL DEFAULT 0,
  ADD CONSTRAINT beta_state_reported_positive
    CHECK (reported_failures >= 0 AND reported_successes >= 0 AND reported_n >= 0);

-- Document 003's posterior learns from every reported outcome.
CREATE OR REPLACE VIEW lens_decision.beta_state WITH (security_invoker = true) AS
SELECT b.id, b.tenant_id::text AS tenant_id, b.category, b.alpha + b.reported_failures AS alpha,
  b.beta + b.reported_successes AS beta, b.updated_at
FROM countersign.beta_state b;

-- What document 001 calls an action is something that is to be done here: advice is none.
CREATE OR REPLACE VIEW lens_governance.actions WITH (security_invoker = true) AS
SELECT i.id, i.tenant_id, i.intent_type AS type, target.external_id AS resource_id,
  u.id AS requested_by,
  countersign.execution_word(
    coalesce(e.state, CASE i.status WHEN 'denied' THEN 'denied' WHEN 'open' THEN 'preflight'
      WHEN 'succeeded' THEN 'completed' ELSE 'failed' END), 'governance') AS status,
  i.payload || jsonb_build_object('requires_approval',
    coalesce(e.state = 'awaiting_approval', false)) AS params,
  CASE WHEN e.completed_at IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object(
    'state', e.state, 'error', e.error_message, 'summary', e.output_summary,
    'evidence', (
      SELECT jsonb_agg(jsonb_build_object(
        'path', v.result_ref, 'checksum', encode(v.sha256, 'hex')) ORDER BY v.id)
      FROM countersign.evidence v
      WHERE v.tenant_id = e.tenant_id AND v.execution_id = e.id))) END AS result,
  i.created_at, greatest(i.updated_at, e.created_at, e.started_at, e.completed_at) AS updated_at
FROM countersign.intents i
LEFT JOIN LATERAL (
  SELECT x.tenant_id, x.id, x.plan_id, x.state, x.error_message, x.output_summary, x.created_at,
    x.started_at, x.completed_at
  FROM countersign.executions x
  WHERE x.tenant_id = i.tenant_id AND x.intent_id = i.id
  ORDER BY x.id DESC
  LIMIT 1
) e ON true
LEFT JOIN countersign.plans p ON p.tenant_id = e.tenant_id AND p.id = e.plan_id
LEFT JOIN countersign.resources target ON target.tenant_id = i.tenant_id
  AND target.id = countersign.bare_id(
    convert_from(p.document, 'UTF8')::jsonb #>> '{targets,0,resource_id}')
LEFT JOIN countersign.users u
  ON u.tenant_id = i.tenant_id AND u.actor_id = i.requester_actor_id
WHERE i.purpose = 'change';
