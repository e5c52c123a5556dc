-- The audit log: an outbox written with every change, sequenced into one Merkle log a tenant.

CREATE TABLE countersign.audit_outbox (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  canon bytea NOT NULL,
  -- HMAC-SHA-256 with a key the database does not have: a row put in by SQL alone is never signed.
  mac bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT audit_outbox_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT audit_outbox_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT audit_outbox_canon_size CHECK (octet_length(canon) BETWEEN 1 AND 32768)
);
SELECT countersign.protect('countersign.audit_outbox');
GRANT INSERT ON countersign.audit_outbox TO countersign_app;

CREATE TABLE countersign.audit_events (
  tenant_id uuid NOT NULL,
  seq bigint NOT NULL,
  id uuid NOT NULL,
  canon bytea NOT NULL,
  leaf bytea NOT NULL,
  occurred_at timestamptz NOT NULL,
  action text NOT NULL,
  actor_id uuid NOT NULL,
  target_type text NOT NULL,
  target_id text NOT NULL,
  decision text,
  success boolean NOT NULL,
  CONSTRAINT audit_events_pk PRIMARY KEY (tenant_id, seq),
  CONSTRAINT audit_events_id_key UNIQUE (tenant_id, id),
  CONSTRAINT audit_events_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT audit_events_leaf_size CHECK (octet_length(leaf) = 32),
  CONSTRAINT audit_events_seq_range CHECK (seq >= 0)
);
CREATE INDEX audit_events_target ON countersign.audit_events (tenant_id, target_type, target_id, seq);
CREATE INDEX audit_events_actor ON countersign.audit_events (tenant_id, actor_id, seq);
SELECT countersign.protect('countersign.audit_events');
GRANT SELECT ON countersign.audit_events TO countersign_app;

CREATE TABLE countersign.audit_quarantine (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  canon bytea NOT NULL,
  mac bytea NOT NULL,
  reason text NOT NULL,
  found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT audit_quarantine_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT audit_quarantine_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id)
);
SELECT countersign.protect('countersign.audit_quarantine');
GRANT SELECT ON countersign.audit_quarantine TO countersign_app;

CREATE TABLE countersign.audit_checkpoints (
  tenant_id uuid NOT NULL,
  size bigint NOT NULL,
  root bytea NOT NULL,
  -- The C2SP signed note.
  note text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT audit_checkpoints_pk PRIMARY KEY (tenant_id, size, created_at),
  CONSTRAINT audit_checkpoints_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT audit_checkpoints_root_size CHECK (octet_length(root) = 32)
);
SELECT countersign.protect('countersign.audit_checkpoints');
GRANT SELECT ON countersign.audit_checkpoints TO countersign_app;
