-- What there is, and how to reach it.

CREATE TABLE countersign.environments (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  slug text NOT NULL,
  class text NOT NULL,
  cloud_provider text,
  region text,
  account_id text,
  cluster_id text,
  namespace text,
  argocd_project text,
  grafana_org_id text,
  tags jsonb NOT NULL DEFAULT '{}',
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT environments_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT environments_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT environments_slug_key UNIQUE (tenant_id, slug),
  CONSTRAINT environments_class_word CHECK (class IN ('dev', 'test', 'staging', 'prod')),
  CONSTRAINT environments_provider_word CHECK (
    cloud_provider IN ('azure', 'aws', 'gcp', 'ibm', 'kubernetes', 'host', 'other'))
);
SELECT countersign.protect('countersign.environments');
GRANT SELECT, INSERT, UPDATE ON countersign.environments TO countersign_app;

CREATE TABLE countersign.resources (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  environment_id uuid NOT NULL,
  external_id text NOT NULL,
  provider text NOT NULL DEFAULT 'host',
  kind text NOT NULL DEFAULT 'server',
  type text NOT NULL DEFAULT 'host',
  name text NOT NULL,
  hostname text,
  os_type text,
  group_name text,
  location text,
  owner_team text,
  tags jsonb NOT NULL DEFAULT '{}',
  status text NOT NULL DEFAULT 'active',
  created_by uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT resources_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT resources_environment_fk FOREIGN KEY (tenant_id, environment_id)
    REFERENCES countersign.environments (tenant_id, id),
  CONSTRAINT resources_creator_fk FOREIGN KEY (tenant_id, created_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT resources_external_id_key UNIQUE (tenant_id, provider, external_id),
  CONSTRAINT resources_provider_word CHECK (
    provider IN ('azure', 'aws', 'gcp', 'ibm', 'kubernetes', 'host', 'other')),
  CONSTRAINT resources_os_word CHECK (os_type IN ('linux', 'windows'))
);
CREATE INDEX resources_name ON countersign.resources (tenant_id, name);
CREATE INDEX resources_tags ON countersign.resources USING gin (tags jsonb_path_ops);
SELECT countersign.protect('countersign.resources');
GRANT SELECT, INSERT, UPDATE ON countersign.resources TO countersign_app;

-- Sealed: security.md 4d. A version is never changed, a new secret is a new version.
CREATE TABLE countersign.credentials (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  version integer NOT NULL DEFAULT 1,
  alg text NOT NULL,
  kek_id text NOT NULL,
  wrapped_dek bytea NOT NULL,
  nonce bytea NOT NULL,
  ciphertext bytea NOT NULL,
  aad_version smallint NOT NULL DEFAULT 1,
  created_by uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT credentials_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT credentials_name_key UNIQUE (tenant_id, name),
  CONSTRAINT credentials_creator_fk FOREIGN KEY (tenant_id, created_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT credentials_kind_word CHECK (kind IN ('ssh_key', 'password', 'hmac')),
  CONSTRAINT credentials_version_positive CHECK (version > 0)
);
SELECT countersign.protect('countersign.credentials');
GRANT SELECT, INSERT, UPDATE ON countersign.credentials TO countersign_app;

CREATE TABLE countersign.connections (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  resource_id uuid NOT NULL,
  transport text NOT NULL DEFAULT 'ssh',
  host text NOT NULL,
  port integer NOT NULL DEFAULT 22,
  username text NOT NULL,
  credential_id uuid,
  guard_dir text,
  is_active boolean NOT NULL DEFAULT true,
  last_connection_test timestamptz,
  last_connection_status text,
  created_by uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT connections_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT connections_resource_fk FOREIGN KEY (tenant_id, resource_id)
    REFERENCES countersign.resources (tenant_id, id),
  CONSTRAINT connections_credential_fk FOREIGN KEY (tenant_id, credential_id)
    REFERENCES countersign.credentials (tenant_id, id),
  CONSTRAINT connections_creator_fk FOREIGN KEY (tenant_id, created_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT connections_resource_key UNIQUE (tenant_id, resource_id, transport),
  CONSTRAINT connections_transport_word CHECK (transport IN ('ssh')),
  CONSTRAINT connections_port_range CHECK (port BETWEEN 1 AND 65535),
  CONSTRAINT connections_status_word CHECK (last_connection_status IN ('success', 'failed'))
);
SELECT countersign.protect('countersign.connections');
GRANT SELECT, INSERT, UPDATE ON countersign.connections TO countersign_app;

-- Pinned by a person; automation never adds to them.
CREATE TABLE countersign.host_keys (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  connection_id uuid NOT NULL,
  public_key text NOT NULL,
  fingerprint text NOT NULL,
  pinned_by uuid NOT NULL,
  pinned_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT host_keys_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT host_keys_connection_fk FOREIGN KEY (tenant_id, connection_id)
    REFERENCES countersign.connections (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT host_keys_actor_fk FOREIGN KEY (tenant_id, pinned_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT host_keys_key UNIQUE (tenant_id, connection_id, fingerprint)
);
SELECT countersign.protect('countersign.host_keys');
GRANT SELECT, INSERT, DELETE ON countersign.host_keys TO countersign_app;
