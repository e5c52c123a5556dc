-- Putting drift right, once: which findings, by what means, and how far it got. What changes the
-- world is done by executions; this row says which of them belong together.
CREATE TABLE countersign.remediations (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  iac_repository_id uuid NOT NULL,
  kind text NOT NULL,
  finding_ids uuid[] NOT NULL,
  reason text NOT NULL DEFAULT '',
  state text NOT NULL DEFAULT 'preparing',
  -- Who asked: every execution of it is asked for in this name.
  requested_by uuid NOT NULL,
  -- The work that reads alone and says what the change would be.
  preparation_id uuid,
  -- The change itself.
  execution_id uuid,
  -- The look for drift after it.
  check_id uuid,
  -- What the preparation said: the variables of the change.
  prepared jsonb,
  error text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz,
  CONSTRAINT remediations_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT remediations_repository_fk FOREIGN KEY (tenant_id, iac_repository_id)
    REFERENCES countersign.iac_repositories (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT remediations_actor_fk FOREIGN KEY (tenant_id, requested_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT remediations_kind_word CHECK (kind IN ('auto_revert', 'codify_iac')),
  CONSTRAINT remediations_state_word
    CHECK (state IN ('preparing', 'asked', 'checking', 'published', 'resolved', 'failed')),
  CONSTRAINT remediations_end CHECK ((state IN ('resolved', 'failed')) = (ended_at IS NOT NULL)),
  CONSTRAINT remediations_some CHECK (cardinality(finding_ids) BETWEEN 1 AND 1000)
);
COMMENT ON TABLE countersign.remediations IS
  'Putting drift right, once: the findings, the means, the executions. | – | kept';
CREATE INDEX remediations_repository
  ON countersign.remediations (tenant_id, iac_repository_id, id);
CREATE INDEX remediations_open ON countersign.remediations (tenant_id, state)
  WHERE ended_at IS NULL;
CREATE INDEX remediations_actor ON countersign.remediations (tenant_id, requested_by);
SELECT countersign.protect('countersign.remediations');
GRANT SELECT, INSERT, UPDATE ON countersign.remediations TO countersign_app;
GRANT SELECT ON countersign.remediations TO countersign_report;

-- Where the tools of a source run: a resource of the estate that is reached over a connection to
-- the host, so that windows, limits and the class of its environment hold for it as for any other.
ALTER TABLE countersign.iac_repositories
  ADD COLUMN resource_id uuid,
  -- Where a checkout of its code lies there.
  ADD COLUMN directory text;
ALTER TABLE countersign.iac_repositories
  ADD CONSTRAINT iac_repositories_resource_fk FOREIGN KEY (tenant_id, resource_id)
    REFERENCES countersign.resources (tenant_id, id) NOT VALID;
