-- The estate as a graph, and the code that declares it.

-- Servers reached by WinRM keep what document 002 keeps of them.
ALTER TABLE countersign.connections
  ADD COLUMN domain text,
  ADD COLUMN winrm_transport text,
  ADD COLUMN winrm_use_ssl boolean NOT NULL DEFAULT true,
  ADD COLUMN winrm_cert_validation boolean NOT NULL DEFAULT true,
  ADD CONSTRAINT connections_winrm_word
    CHECK (winrm_transport IN ('kerberos', 'ntlm', 'certificate')) NOT VALID,
  DROP CONSTRAINT connections_transport_word,
  ADD CONSTRAINT connections_transport_word CHECK (transport IN ('ssh', 'winrm')) NOT VALID;
ALTER TABLE countersign.connections VALIDATE CONSTRAINT connections_winrm_word;
ALTER TABLE countersign.connections VALIDATE CONSTRAINT connections_transport_word;

-- One sealed store for every secret there is: repositories, providers and channels refer to it.
ALTER TABLE countersign.credentials
  DROP CONSTRAINT credentials_kind_word,
  ADD CONSTRAINT credentials_kind_word CHECK (
    kind IN ('ssh_key', 'password', 'hmac', 'token', 'cloud', 'certificate')) NOT VALID;
ALTER TABLE countersign.credentials VALIDATE CONSTRAINT credentials_kind_word;

-- Documents 000 (context_edges) and 001 (exposure graph).
CREATE TABLE countersign.resource_edges (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  from_id uuid NOT NULL,
  to_id uuid NOT NULL,
  relation text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT resource_edges_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT resource_edges_from_fk FOREIGN KEY (tenant_id, from_id)
    REFERENCES countersign.resources (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT resource_edges_to_fk FOREIGN KEY (tenant_id, to_id)
    REFERENCES countersign.resources (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT resource_edges_key UNIQUE (tenant_id, from_id, to_id, relation)
);
CREATE INDEX resource_edges_to ON countersign.resource_edges (tenant_id, to_id);
SELECT countersign.protect('countersign.resource_edges');
GRANT SELECT, INSERT, DELETE ON countersign.resource_edges TO countersign_app;

CREATE TABLE countersign.services (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  owner_team text NOT NULL DEFAULT '',
  environments text[] NOT NULL DEFAULT '{}',
  argo_apps text[] NOT NULL DEFAULT '{}',
  helm_releases text[] NOT NULL DEFAULT '{}',
  promql_queries text[] NOT NULL DEFAULT '{}',
  traceql_queries text[] NOT NULL DEFAULT '{}',
  grafana_dashboards text[] NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT services_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT services_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT services_name_key UNIQUE (tenant_id, name)
);
SELECT countersign.protect('countersign.services');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.services TO countersign_app;

-- What the estate looked like at a time: the body is an object, here is its hash.
CREATE TABLE countersign.context_snapshots (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  taken_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  hash bytea NOT NULL,
  body_ref text NOT NULL,
  CONSTRAINT context_snapshots_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT context_snapshots_tenant_fk FOREIGN KEY (tenant_id)
    REFERENCES countersign.tenants (id),
  CONSTRAINT context_snapshots_hash_size CHECK (octet_length(hash) = 32)
);
SELECT countersign.protect('countersign.context_snapshots');
GRANT SELECT, INSERT, DELETE ON countersign.context_snapshots TO countersign_app;

CREATE TABLE countersign.iac_repositories (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  environment_id uuid NOT NULL,
  name text NOT NULL,
  repository_url text,
  branch text NOT NULL DEFAULT 'main',
  tool text NOT NULL,
  -- Document 004 keeps the secret in the row; here it is sealed beside all others.
  credential_id uuid,
  last_sync_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT iac_repositories_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT iac_repositories_environment_fk FOREIGN KEY (tenant_id, environment_id)
    REFERENCES countersign.environments (tenant_id, id),
  CONSTRAINT iac_repositories_credential_fk FOREIGN KEY (tenant_id, credential_id)
    REFERENCES countersign.credentials (tenant_id, id),
  -- Two sources without an address in one environment would be one and the same.
  CONSTRAINT iac_repositories_source_key
    UNIQUE NULLS NOT DISTINCT (tenant_id, environment_id, repository_url, branch),
  CONSTRAINT iac_repositories_tool_word
    CHECK (tool IN ('terraform', 'opentofu', 'cloudformation', 'kubernetes'))
);
SELECT countersign.protect('countersign.iac_repositories');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.iac_repositories TO countersign_app;

CREATE TABLE countersign.iac_resources (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  iac_repository_id uuid NOT NULL,
  resource_type text NOT NULL,
  -- What document 004 calls resource_id: the address in the code.
  address text NOT NULL,
  -- The real thing it declares, once it was seen.
  resource_id uuid,
  declared_state jsonb NOT NULL,
  -- SHA-256 of the canonical declared state: a sync that finds the same writes nothing.
  state_hash bytea NOT NULL,
  last_sync_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT iac_resources_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT iac_resources_repository_fk FOREIGN KEY (tenant_id, iac_repository_id)
    REFERENCES countersign.iac_repositories (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT iac_resources_resource_fk FOREIGN KEY (tenant_id, resource_id)
    REFERENCES countersign.resources (tenant_id, id),
  CONSTRAINT iac_resources_address_key UNIQUE (tenant_id, iac_repository_id, address),
  CONSTRAINT iac_resources_hash_size CHECK (octet_length(state_hash) = 32)
);
CREATE INDEX iac_resources_resource ON countersign.iac_resources (tenant_id, resource_id);
SELECT countersign.protect('countersign.iac_resources');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.iac_resources TO countersign_app;
