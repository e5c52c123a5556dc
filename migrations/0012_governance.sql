-- The catalogue of the providers' policies, what breaks them, and who may for a while.

-- Document 001 makes the provider's id the primary key, so that two tenants cannot hold the same
-- policy: here it is unique within a tenant and a provider.
CREATE TABLE countersign.policies (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  external_id text NOT NULL,
  name text NOT NULL,
  provider text NOT NULL,
  type text NOT NULL,
  effect text,
  scope text,
  status text NOT NULL,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT policies_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT policies_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT policies_external_id_key UNIQUE (tenant_id, provider, external_id)
);
CREATE INDEX policies_status ON countersign.policies (tenant_id, status);
SELECT countersign.protect('countersign.policies');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.policies TO countersign_app;

-- The detail of a finding of kind `violation`.
CREATE TABLE countersign.violations (
  tenant_id uuid NOT NULL,
  finding_id uuid NOT NULL,
  policy_id uuid,
  CONSTRAINT violations_pk PRIMARY KEY (tenant_id, finding_id),
  CONSTRAINT violations_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id),
  -- A finding outlives the policy that found it. Only the policy's part of the key is emptied.
  CONSTRAINT violations_policy_fk FOREIGN KEY (tenant_id, policy_id)
    REFERENCES countersign.policies (tenant_id, id) ON DELETE SET NULL (policy_id)
);
CREATE INDEX violations_policy ON countersign.violations (tenant_id, policy_id);
SELECT countersign.protect('countersign.violations');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.violations TO countersign_app;

-- Document 001 lets an exception be born approved. Here it is born pending, and only an approval
-- makes it approved.
CREATE TABLE countersign.exceptions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  policy_id uuid,
  resource_id uuid,
  finding_id uuid,
  reason text NOT NULL,
  status text NOT NULL DEFAULT 'pending',
  approval_id uuid,
  expires_at timestamptz,
  recertify_at timestamptz,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT exceptions_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT exceptions_policy_fk FOREIGN KEY (tenant_id, policy_id)
    REFERENCES countersign.policies (tenant_id, id),
  CONSTRAINT exceptions_resource_fk FOREIGN KEY (tenant_id, resource_id)
    REFERENCES countersign.resources (tenant_id, id),
  CONSTRAINT exceptions_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id),
  CONSTRAINT exceptions_approval_fk FOREIGN KEY (tenant_id, approval_id)
    REFERENCES countersign.approvals (tenant_id, id),
  CONSTRAINT exceptions_creator_fk FOREIGN KEY (tenant_id, created_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT exceptions_status_word
    CHECK (status IN ('pending', 'approved', 'rejected', 'expired')),
  CONSTRAINT exceptions_approved_by_approval
    CHECK (status <> 'approved' OR approval_id IS NOT NULL),
  CONSTRAINT exceptions_about_something
    CHECK (policy_id IS NOT NULL OR resource_id IS NOT NULL OR finding_id IS NOT NULL)
);
CREATE INDEX exceptions_due ON countersign.exceptions (tenant_id, status, expires_at);
SELECT countersign.protect('countersign.exceptions');
GRANT SELECT, INSERT, UPDATE ON countersign.exceptions TO countersign_app;

-- Document 001 leaves the resource out of the key, so that two resources of one service overwrite
-- each other's day.
CREATE TABLE countersign.cost_timeseries (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  service text NOT NULL,
  resource_id uuid,
  day date NOT NULL,
  amount numeric NOT NULL,
  currency text NOT NULL DEFAULT 'USD',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT cost_timeseries_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT cost_timeseries_resource_fk FOREIGN KEY (tenant_id, resource_id)
    REFERENCES countersign.resources (tenant_id, id),
  CONSTRAINT cost_timeseries_day_key
    UNIQUE NULLS NOT DISTINCT (tenant_id, service, resource_id, day),
  CONSTRAINT cost_timeseries_currency_shape CHECK (currency ~ '^[A-Z]{3}$')
);
CREATE INDEX cost_timeseries_day ON countersign.cost_timeseries (tenant_id, day DESC, service);
SELECT countersign.protect('countersign.cost_timeseries');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.cost_timeseries TO countersign_app;
