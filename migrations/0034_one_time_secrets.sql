-- Secrets that are told once, to whoever has their token; only its hash is kept.

CREATE TABLE countersign.one_time_secrets (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  token_hash bytea NOT NULL,
  tenant_key_id uuid NOT NULL,
  alg text NOT NULL,
  kek_id text NOT NULL,
  wrapped_dek bytea NOT NULL,
  nonce bytea NOT NULL,
  -- Empty once it was told.
  ciphertext bytea NOT NULL,
  aad_version smallint NOT NULL,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  unwrapped_at timestamptz,
  unwrapped_by uuid,
  CONSTRAINT one_time_secrets_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT one_time_secrets_token_key UNIQUE (tenant_id, token_hash),
  CONSTRAINT one_time_secrets_key_fk FOREIGN KEY (tenant_id, tenant_key_id)
    REFERENCES countersign.tenant_keys (tenant_id, id),
  CONSTRAINT one_time_secrets_creator_fk FOREIGN KEY (tenant_id, created_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT one_time_secrets_unwrapper_fk FOREIGN KEY (tenant_id, unwrapped_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT one_time_secrets_gone CHECK (unwrapped_at IS NULL OR ciphertext = '')
);
SELECT countersign.protect('countersign.one_time_secrets');
GRANT SELECT, INSERT, UPDATE (ciphertext, unwrapped_at, unwrapped_by)
  ON countersign.one_time_secrets TO countersign_app;

COMMENT ON TABLE countersign.one_time_secrets IS
  'Secrets told once, to whoever has their token. | – | the secret until it is told, the row kept';
