-- Keys: each tenant's, wrapped by a key-encryption key outside the database; what is known of the
-- keys all hosts share; and re-wrapping as work that can be interrupted.

-- A pair: the public half seals, the wrapped half opens. The MAC says that this deployment made it,
-- so that nobody who can only write to the database has secrets sealed to a key of their own.
CREATE TABLE countersign.tenant_keys (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  purpose text NOT NULL,
  generation integer NOT NULL,
  public_key bytea NOT NULL,
  mac bytea NOT NULL,
  kek_id text NOT NULL,
  wrapped bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  rewrapped_at timestamptz,
  CONSTRAINT tenant_keys_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT tenant_keys_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT tenant_keys_generation_key UNIQUE (tenant_id, purpose, generation),
  CONSTRAINT tenant_keys_purpose_word CHECK (purpose IN ('change', 'request')),
  CONSTRAINT tenant_keys_generation_positive CHECK (generation > 0)
);
SELECT countersign.protect('countersign.tenant_keys');
GRANT SELECT, INSERT, UPDATE (kek_id, wrapped, rewrapped_at)
  ON countersign.tenant_keys TO countersign_app;

-- Which tenant's key wraps a credential's data key; none in rows from before tenants had keys.
ALTER TABLE countersign.credentials
  ADD COLUMN tenant_key_id uuid,
  ADD CONSTRAINT credentials_tenant_key_fk FOREIGN KEY (tenant_id, tenant_key_id)
    REFERENCES countersign.tenant_keys (tenant_id, id) NOT VALID;
ALTER TABLE countersign.credentials VALIDATE CONSTRAINT credentials_tenant_key_fk;

CREATE TABLE countersign.key_rotations (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL,
  state text NOT NULL DEFAULT 'running',
  -- The last credential done, in order of id.
  after_id uuid,
  keys_done integer NOT NULL DEFAULT 0,
  secrets_done integer NOT NULL DEFAULT 0,
  secrets_failed integer NOT NULL DEFAULT 0,
  -- Nobody of the tenant when it is the operator's.
  requested_by uuid,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz,
  CONSTRAINT key_rotations_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT key_rotations_requester_fk FOREIGN KEY (tenant_id, requested_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT key_rotations_kind_word CHECK (kind IN ('kek', 'tenant_key', 'data_key')),
  CONSTRAINT key_rotations_state_word CHECK (state IN ('running', 'done')),
  CONSTRAINT key_rotations_ended CHECK ((state = 'running') = (ended_at IS NULL))
);
-- One at a time.
CREATE UNIQUE INDEX key_rotations_running_key ON countersign.key_rotations (tenant_id)
  WHERE state = 'running';
SELECT countersign.protect('countersign.key_rotations');
GRANT SELECT, INSERT, UPDATE (state, after_id, keys_done, secrets_done, secrets_failed, ended_at)
  ON countersign.key_rotations TO countersign_app;

-- Rows of the system tenant: by what the keys are known that every host must have.
CREATE TABLE countersign.deployment_keys (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL,
  fingerprint text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT deployment_keys_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT deployment_keys_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT deployment_keys_fingerprint_key UNIQUE (tenant_id, kind, fingerprint),
  CONSTRAINT deployment_keys_kind_word CHECK (
    kind IN ('deployment', 'kek', 'request_kek', 'audit_mac', 'log'))
);
SELECT countersign.protect('countersign.deployment_keys');
GRANT SELECT, INSERT ON countersign.deployment_keys TO countersign_app;

COMMENT ON TABLE countersign.tenant_keys IS
  'Keys of a tenant, wrapped; they wrap the data keys of its secrets. | – | kept';
COMMENT ON TABLE countersign.key_rotations IS
  'Runs of re-wrapping keys, and how far they got. | – | kept';
COMMENT ON TABLE countersign.deployment_keys IS
  'Fingerprints of the keys every host of the deployment must have. | – | kept';
