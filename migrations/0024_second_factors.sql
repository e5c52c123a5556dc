-- Second factors, and the fresh proofs an approval asks for.

-- A one-time password generator (RFC 6238). Its secret is sealed like a credential's, for this row.
CREATE TABLE countersign.second_factors (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  kind text NOT NULL DEFAULT 'totp',
  alg text NOT NULL,
  kek_id text NOT NULL,
  wrapped_dek bytea NOT NULL,
  nonce bytea NOT NULL,
  ciphertext bytea NOT NULL,
  aad_version smallint NOT NULL DEFAULT 1,
  -- The time step of the last code that was taken: no code counts twice, nor an older one.
  last_step bigint NOT NULL DEFAULT 0,
  -- Null until its holder has shown that it works.
  confirmed_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT second_factors_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT second_factors_user_fk FOREIGN KEY (tenant_id, user_id)
    REFERENCES countersign.users (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT second_factors_user_key UNIQUE (tenant_id, user_id),
  CONSTRAINT second_factors_kind_word CHECK (kind IN ('totp'))
);
SELECT countersign.protect('countersign.second_factors');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.second_factors TO countersign_app;
COMMENT ON TABLE countersign.second_factors IS
  'One-time password generators of people, sealed. | none | kept';

CREATE TABLE countersign.recovery_codes (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  -- SHA-256: the codes are random and too long to guess.
  code_hash bytea NOT NULL,
  used_at timestamptz,
  CONSTRAINT recovery_codes_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT recovery_codes_user_fk FOREIGN KEY (tenant_id, user_id)
    REFERENCES countersign.users (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT recovery_codes_code_key UNIQUE (tenant_id, user_id, code_hash),
  CONSTRAINT recovery_codes_hash_size CHECK (octet_length(code_hash) = 32)
);
SELECT countersign.protect('countersign.recovery_codes');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.recovery_codes TO countersign_app;
COMMENT ON TABLE countersign.recovery_codes IS
  'Codes for whoever lost their second factor, each good once. | none | kept';

-- A second factor shown in a session, for one thing that is to be approved, and good for one vote.
CREATE TABLE countersign.step_ups (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  session_id uuid NOT NULL,
  bound_hash bytea NOT NULL,
  factor text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  CONSTRAINT step_ups_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT step_ups_session_fk FOREIGN KEY (tenant_id, session_id)
    REFERENCES countersign.user_sessions (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT step_ups_hash_size CHECK (octet_length(bound_hash) = 32),
  CONSTRAINT step_ups_factor_word CHECK (factor IN ('totp', 'recovery_code'))
);
CREATE INDEX step_ups_session ON countersign.step_ups (tenant_id, session_id, bound_hash);
SELECT countersign.protect('countersign.step_ups');
GRANT SELECT, INSERT, UPDATE ON countersign.step_ups TO countersign_app;
COMMENT ON TABLE countersign.step_ups IS
  'Second factors shown for one approval each. | none | as long as the session';
