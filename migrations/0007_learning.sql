-- What came of intents, and what was learned from it.

CREATE TABLE countersign.outcomes (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  intent_id uuid NOT NULL,
  execution_id uuid,
  success boolean NOT NULL,
  -- Only verified outcomes teach.
  verified boolean NOT NULL,
  verified_by text NOT NULL,
  recorded_by uuid NOT NULL,
  notes text NOT NULL DEFAULT '',
  idempotency_key text,
  category text NOT NULL,
  -- Where it ran and what it changed by: autonomy is earned per class and action.
  environment_classes text[] NOT NULL,
  actions text[] NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT outcomes_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT outcomes_intent_key UNIQUE (tenant_id, intent_id),
  CONSTRAINT outcomes_idempotency_key UNIQUE (tenant_id, idempotency_key),
  CONSTRAINT outcomes_intent_fk FOREIGN KEY (tenant_id, intent_id)
    REFERENCES countersign.intents (tenant_id, id),
  CONSTRAINT outcomes_execution_fk FOREIGN KEY (tenant_id, execution_id)
    REFERENCES countersign.executions (tenant_id, id),
  CONSTRAINT outcomes_recorder_fk FOREIGN KEY (tenant_id, recorded_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT outcomes_verifier_word CHECK (verified_by IN ('machine', 'person', 'nobody'))
);
CREATE INDEX outcomes_autonomy ON countersign.outcomes (tenant_id, category) WHERE verified;
SELECT countersign.protect('countersign.outcomes');
GRANT SELECT, INSERT ON countersign.outcomes TO countersign_app;

CREATE TABLE countersign.beta_state (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  category text NOT NULL,
  alpha float8 NOT NULL,
  beta float8 NOT NULL,
  n bigint NOT NULL DEFAULT 0,
  model_version text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT beta_state_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT beta_state_category_key UNIQUE (tenant_id, category),
  CONSTRAINT beta_state_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT beta_state_positive CHECK (alpha > 0 AND beta > 0)
);
SELECT countersign.protect('countersign.beta_state');
GRANT SELECT, INSERT, UPDATE ON countersign.beta_state TO countersign_app;
