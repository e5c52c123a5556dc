-- The wall between tenants, and whoever acts.
--
-- The schema and the roles exist already: `db roles` makes them before the first migration.
-- Every table carries tenant_id, starts its keys with it, and is shut by row-level security that
-- also binds its owner. countersign_app is the only role that reads and writes as a tenant;
-- countersign_queue and countersign_sequencer own the few functions that look across tenants.

CREATE VIEW countersign.schema_version WITH (security_invoker = true) AS
SELECT version, installed_on AS applied_at FROM countersign._sqlx_migrations;
GRANT SELECT ON countersign._sqlx_migrations, countersign.schema_version TO countersign_app;

GRANT USAGE ON SCHEMA countersign
  TO countersign_app, countersign_queue, countersign_sequencer;

-- Row-level security of one table, the same for all. The sub-select is evaluated once a statement
-- (an init plan), so a statement cannot change tenant half-way, and scans stay fast. NULLIF turns
-- the empty string, which a released connection has, into no tenant at all.
CREATE FUNCTION countersign.protect(target regclass, tenant_column text DEFAULT 'tenant_id')
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  mine text := format(
    '%I = (SELECT NULLIF(current_setting(''app.tenant_id'', true), '''')::uuid)', tenant_column);
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY app ON %s TO countersign_app USING (true) WITH CHECK (true)', target);
  EXECUTE format(
    'CREATE POLICY tenant ON %s AS RESTRICTIVE TO countersign_app USING (%s) WITH CHECK (%s)',
    target, mine, mine);
END $$;

-- Hands a function to one of the roles that look across tenants, callable by the application only.
CREATE FUNCTION countersign.entrust(target regprocedure, new_owner text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', target);
  EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO countersign_app', target);
  EXECUTE format('GRANT CREATE ON SCHEMA countersign TO %I', new_owner);
  EXECUTE format('ALTER FUNCTION %s OWNER TO %I', target, new_owner);
  EXECUTE format('REVOKE CREATE ON SCHEMA countersign FROM %I', new_owner);
END $$;

-- Opens a tenant's room for the rest of the transaction.
CREATE FUNCTION countersign.enter_tenant(tenant uuid)
RETURNS void LANGUAGE sql AS $$
  SELECT pg_catalog.set_config('app.tenant_id', tenant::text, true)
$$;
REVOKE ALL ON FUNCTION countersign.protect(regclass, text), countersign.entrust(regprocedure, text),
  countersign.enter_tenant(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION countersign.enter_tenant(uuid) TO countersign_app;

CREATE TABLE countersign.tenants (
  id uuid NOT NULL,
  slug text NOT NULL,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  contact_email text,
  tier text NOT NULL DEFAULT 'enterprise',
  settings jsonb NOT NULL DEFAULT '{}',
  is_active boolean NOT NULL DEFAULT true,
  is_system boolean NOT NULL DEFAULT false,
  created_by text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT tenants_pk PRIMARY KEY (id),
  CONSTRAINT tenants_slug_key UNIQUE (slug),
  CONSTRAINT tenants_slug_shape CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  CONSTRAINT tenants_tier_word CHECK (tier IN ('free', 'pro', 'premium', 'enterprise'))
);
SELECT countersign.protect('countersign.tenants', 'id');
GRANT SELECT, INSERT, UPDATE ON countersign.tenants TO countersign_app;

CREATE TABLE countersign.actors (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  type text NOT NULL,
  display_name text NOT NULL,
  -- The one place roles are kept; a user or a key has those of its actor.
  roles text[] NOT NULL DEFAULT '{}',
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT actors_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT actors_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT actors_type_word CHECK (type IN ('user', 'service', 'agent')),
  CONSTRAINT actors_role_words
    CHECK (roles <@ ARRAY['viewer', 'operator', 'approver', 'admin', 'auditor'])
);
SELECT countersign.protect('countersign.actors');
GRANT SELECT, INSERT, UPDATE ON countersign.actors TO countersign_app;

-- Every tenant has the actor that stands for nobody in particular: workers, sweepers. Its id is the
-- same everywhere (`model::actor::service`), so that signed events name it the same way.
CREATE FUNCTION countersign.add_service_actor() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO countersign.actors (tenant_id, id, type, display_name, roles)
  VALUES (NEW.id, '00000000-0000-7000-8000-0000000000c5', 'service', 'countersign', '{operator}');
  RETURN NULL;
END $$;
CREATE TRIGGER tenants_service_actor AFTER INSERT ON countersign.tenants
  FOR EACH ROW EXECUTE FUNCTION countersign.add_service_actor();

CREATE TABLE countersign.users (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  actor_id uuid NOT NULL,
  username text NOT NULL,
  upn text,
  email text,
  full_name text NOT NULL DEFAULT '',
  -- An argon2id hash in PHC form; null for people who come through an identity provider.
  password_hash text,
  must_change_password boolean NOT NULL DEFAULT false,
  is_active boolean NOT NULL DEFAULT true,
  last_login timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT users_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT users_actor_fk FOREIGN KEY (tenant_id, actor_id)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT users_actor_key UNIQUE (tenant_id, actor_id),
  CONSTRAINT users_username_key UNIQUE (tenant_id, username),
  CONSTRAINT users_email_key UNIQUE (tenant_id, email),
  CONSTRAINT users_username_shape CHECK (username ~ '^[a-z0-9][a-z0-9._@+-]{0,49}$')
);
SELECT countersign.protect('countersign.users');
GRANT SELECT, INSERT, UPDATE ON countersign.users TO countersign_app;

CREATE TABLE countersign.user_sessions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  -- SHA-256 of the bearer token: the token itself is nowhere.
  token_hash bytea NOT NULL,
  ip_address text,
  user_agent text,
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_activity timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  CONSTRAINT user_sessions_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT user_sessions_user_fk FOREIGN KEY (tenant_id, user_id)
    REFERENCES countersign.users (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT user_sessions_token_key UNIQUE (tenant_id, token_hash),
  CONSTRAINT user_sessions_token_size CHECK (octet_length(token_hash) = 32)
);
CREATE INDEX user_sessions_user ON countersign.user_sessions (tenant_id, user_id);
SELECT countersign.protect('countersign.user_sessions');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.user_sessions TO countersign_app;

CREATE TABLE countersign.api_keys (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  actor_id uuid NOT NULL,
  name text NOT NULL,
  -- The part of `cs_<public id>_<secret>` that may be shown.
  key_prefix text NOT NULL,
  key_hash bytea NOT NULL,
  tier text NOT NULL DEFAULT 'enterprise',
  scopes text[] NOT NULL DEFAULT '{}',
  is_active boolean NOT NULL DEFAULT true,
  created_by uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz,
  expires_at timestamptz,
  CONSTRAINT api_keys_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT api_keys_actor_fk FOREIGN KEY (tenant_id, actor_id)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT api_keys_creator_fk FOREIGN KEY (tenant_id, created_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT api_keys_prefix_key UNIQUE (tenant_id, key_prefix),
  CONSTRAINT api_keys_hash_size CHECK (octet_length(key_hash) = 32),
  CONSTRAINT api_keys_tier_word CHECK (tier IN ('free', 'pro', 'premium', 'enterprise'))
);
SELECT countersign.protect('countersign.api_keys');
GRANT SELECT, INSERT, UPDATE ON countersign.api_keys TO countersign_app;

-- The tenant is not known before the key or the session is: these two look across tenants, by a
-- value only its holder knows, and give back no more than the ids.
CREATE INDEX api_keys_lookup ON countersign.api_keys (key_prefix);
CREATE INDEX user_sessions_lookup ON countersign.user_sessions (token_hash);
CREATE POLICY queue ON countersign.api_keys FOR SELECT TO countersign_queue USING (true);
CREATE POLICY queue ON countersign.user_sessions FOR SELECT TO countersign_queue USING (true);
CREATE POLICY queue ON countersign.tenants FOR SELECT TO countersign_queue USING (true);
GRANT SELECT (tenant_id, id, key_prefix, key_hash) ON countersign.api_keys TO countersign_queue;
GRANT SELECT (tenant_id, id, token_hash) ON countersign.user_sessions TO countersign_queue;
GRANT SELECT (id, slug, is_active, is_system) ON countersign.tenants TO countersign_queue;

CREATE FUNCTION countersign.find_api_key(prefix text)
RETURNS TABLE (tenant_id uuid, id uuid, key_hash bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT k.tenant_id, k.id, k.key_hash
  FROM countersign.api_keys k
  JOIN countersign.tenants t ON t.id = k.tenant_id
  WHERE k.key_prefix = prefix AND t.is_active
$$;
SELECT countersign.entrust('countersign.find_api_key(text)', 'countersign_queue');

CREATE FUNCTION countersign.find_session(hash bytea)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT s.tenant_id, s.id
  FROM countersign.user_sessions s
  JOIN countersign.tenants t ON t.id = s.tenant_id
  WHERE s.token_hash = hash AND t.is_active
$$;
SELECT countersign.entrust('countersign.find_session(bytea)', 'countersign_queue');

CREATE FUNCTION countersign.find_tenant(wanted text)
RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT t.id FROM countersign.tenants t WHERE t.slug = wanted AND t.is_active
$$;
SELECT countersign.entrust('countersign.find_tenant(text)', 'countersign_queue');

-- Sweepers visit every tenant, one after another, each in its own room.
CREATE FUNCTION countersign.active_tenants()
RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT t.id FROM countersign.tenants t WHERE t.is_active ORDER BY t.id
$$;
SELECT countersign.entrust('countersign.active_tenants()', 'countersign_queue');

CREATE TABLE countersign.idempotency_keys (
  tenant_id uuid NOT NULL,
  actor_id uuid NOT NULL,
  key text NOT NULL,
  -- HMAC-SHA-256 over method, path and body, under a key that is not in the database: a body may
  -- hold a password, which a plain hash would let somebody guess.
  request_hash bytea NOT NULL,
  -- Null while the first request is still running, or when nobody knows what came of it.
  status smallint,
  -- Null also of an answer that held a secret: that is shown once.
  response bytea,
  content_type text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT idempotency_keys_pk PRIMARY KEY (tenant_id, actor_id, key),
  CONSTRAINT idempotency_keys_actor_fk FOREIGN KEY (tenant_id, actor_id)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT idempotency_keys_key_size CHECK (length(key) BETWEEN 1 AND 255)
);
CREATE INDEX idempotency_keys_age ON countersign.idempotency_keys (tenant_id, created_at);
SELECT countersign.protect('countersign.idempotency_keys');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.idempotency_keys TO countersign_app;
