-- Invitations, users who left, and what keys may do.

ALTER TABLE countersign.users ADD COLUMN deleted_at timestamptz;
-- Whoever left stays out: the row stays for the log's sake, and its names are not given again.
ALTER TABLE countersign.users ADD CONSTRAINT users_deleted_inactive
  CHECK (deleted_at IS NULL OR NOT is_active) NOT VALID;
ALTER TABLE countersign.users VALIDATE CONSTRAINT users_deleted_inactive;

CREATE TABLE countersign.invitations (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  email text NOT NULL,
  roles text[] NOT NULL,
  -- SHA-256 of what the invited person was sent.
  token_hash bytea NOT NULL,
  invited_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  accepted_at timestamptz,
  revoked_at timestamptz,
  user_id uuid,
  CONSTRAINT invitations_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT invitations_inviter_fk FOREIGN KEY (tenant_id, invited_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT invitations_user_fk FOREIGN KEY (tenant_id, user_id)
    REFERENCES countersign.users (tenant_id, id),
  CONSTRAINT invitations_token_key UNIQUE (tenant_id, token_hash),
  CONSTRAINT invitations_token_size CHECK (octet_length(token_hash) = 32),
  CONSTRAINT invitations_one_end CHECK (accepted_at IS NULL OR revoked_at IS NULL),
  CONSTRAINT invitations_accepted_user CHECK ((accepted_at IS NULL) = (user_id IS NULL)),
  CONSTRAINT invitations_role_words
    CHECK (roles <@ ARRAY['viewer', 'operator', 'approver', 'admin', 'auditor'])
);
SELECT countersign.protect('countersign.invitations');
GRANT SELECT, INSERT ON countersign.invitations TO countersign_app;
GRANT UPDATE (accepted_at, revoked_at, user_id) ON countersign.invitations TO countersign_app;
COMMENT ON TABLE countersign.invitations IS
  'Invitations to become a user, each good once. | none | kept';
