-- When approving asks for a second factor. Not among the settings anybody may set by key: what
-- weakens the gate is changed as a policy is, and holds only what the gate can read.

CREATE TABLE countersign.step_up_policies (
  tenant_id uuid NOT NULL,
  asked text NOT NULL,
  tier text NOT NULL,
  updated_by uuid NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT step_up_policies_pk PRIMARY KEY (tenant_id),
  CONSTRAINT step_up_policies_tenant_fk FOREIGN KEY (tenant_id)
    REFERENCES countersign.tenants (id),
  CONSTRAINT step_up_policies_actor_fk FOREIGN KEY (tenant_id, updated_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT step_up_policies_asked_word CHECK (asked IN ('enrolled', 'required')),
  CONSTRAINT step_up_policies_tier_word CHECK (tier IN ('medium', 'high', 'critical'))
);
SELECT countersign.protect('countersign.step_up_policies');
GRANT SELECT, INSERT, UPDATE ON countersign.step_up_policies TO countersign_app;
COMMENT ON TABLE countersign.step_up_policies IS
  'When approving asks for a second factor. | none | kept';
