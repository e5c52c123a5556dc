-- People who come through an identity provider (OpenID Connect).

-- The secret a provider knows this deployment by is a credential of its own kind: it can be used as
-- nothing else, and nothing else can be sent to a provider.
ALTER TABLE countersign.credentials DROP CONSTRAINT credentials_kind_word;
ALTER TABLE countersign.credentials ADD CONSTRAINT credentials_kind_word
  CHECK (kind IN ('ssh_key', 'password', 'hmac', 'oidc')) NOT VALID;
ALTER TABLE countersign.credentials VALIDATE CONSTRAINT credentials_kind_word;

CREATE TABLE countersign.oidc_providers (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  -- Part of the address people log in at, so it stays.
  name text NOT NULL,
  display_name text NOT NULL,
  issuer text NOT NULL,
  client_id text NOT NULL,
  credential_id uuid,
  redirect_uri text NOT NULL,
  scopes text[] NOT NULL,
  group_claim text NOT NULL,
  -- The roles each group stands for. Whoever is in none of them does not get in.
  role_mapping jsonb NOT NULL,
  unknown_users text NOT NULL,
  is_active boolean NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT oidc_providers_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT oidc_providers_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT oidc_providers_credential_fk FOREIGN KEY (tenant_id, credential_id)
    REFERENCES countersign.credentials (tenant_id, id),
  CONSTRAINT oidc_providers_name_key UNIQUE (tenant_id, name),
  CONSTRAINT oidc_providers_name_shape CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  CONSTRAINT oidc_providers_unknown_users_word
    CHECK (unknown_users IN ('create', 'link', 'refuse'))
);
SELECT countersign.protect('countersign.oidc_providers');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.oidc_providers TO countersign_app;
COMMENT ON TABLE countersign.oidc_providers IS
  'Identity providers people log in through, and the roles of their groups. | 001 oidc | kept';

-- A login that was begun. Nothing in it is secret: the state, the nonce and the verifier come from
-- what the browser keeps, of which only the hash is here. The row goes when the browser comes back.
CREATE TABLE countersign.oidc_logins (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  provider_id uuid NOT NULL,
  state_hash bytea NOT NULL,
  browser_hash bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  CONSTRAINT oidc_logins_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT oidc_logins_provider_fk FOREIGN KEY (tenant_id, provider_id)
    REFERENCES countersign.oidc_providers (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT oidc_logins_state_key UNIQUE (tenant_id, state_hash),
  CONSTRAINT oidc_logins_state_size CHECK (octet_length(state_hash) = 32),
  CONSTRAINT oidc_logins_browser_size CHECK (octet_length(browser_hash) = 32)
);
CREATE INDEX oidc_logins_age ON countersign.oidc_logins (tenant_id, expires_at);
SELECT countersign.protect('countersign.oidc_logins');
GRANT SELECT, INSERT, DELETE ON countersign.oidc_logins TO countersign_app;
COMMENT ON TABLE countersign.oidc_logins IS
  'Logins through a provider that were begun and not ended. | none | ten minutes';

-- Who a user is at a provider. The subject never changes hands; a name or an address may.
CREATE TABLE countersign.user_identities (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  provider_id uuid NOT NULL,
  subject text NOT NULL,
  user_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_login timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT user_identities_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT user_identities_provider_fk FOREIGN KEY (tenant_id, provider_id)
    REFERENCES countersign.oidc_providers (tenant_id, id),
  CONSTRAINT user_identities_user_fk FOREIGN KEY (tenant_id, user_id)
    REFERENCES countersign.users (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT user_identities_subject_key UNIQUE (tenant_id, provider_id, subject),
  CONSTRAINT user_identities_user_key UNIQUE (tenant_id, user_id, provider_id),
  CONSTRAINT user_identities_subject_size CHECK (length(subject) BETWEEN 1 AND 255)
);
SELECT countersign.protect('countersign.user_identities');
GRANT SELECT, INSERT, UPDATE ON countersign.user_identities TO countersign_app;
COMMENT ON TABLE countersign.user_identities IS
  'Who a user is at an identity provider. | 001 users | kept';
