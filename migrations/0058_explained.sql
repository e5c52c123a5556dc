-- Who says why a finding came about, and what of it this program concluded itself and may replace.
ALTER TABLE countersign.cause_analyses
  -- `{"by": "rules" | "model" | "person" | "exception" | "reported"}`, with which.
  ADD COLUMN decided_by jsonb NOT NULL DEFAULT '{"by": "reported"}',
  ADD COLUMN labelled_by uuid,
  ADD COLUMN labelled_at timestamptz,
  ADD COLUMN label_comment text,
  -- SHA-256 of the drift and of whatever decides about it, and of what was told: the same again is
  -- not written again.
  ADD COLUMN explained_of bytea,
  ADD COLUMN explained_as bytea,
  -- What was known around it in numbers, in the order of the list of this version: what models are
  -- trained on.
  ADD COLUMN features_version integer,
  ADD COLUMN features float8[];
ALTER TABLE countersign.cause_analyses
  ADD CONSTRAINT cause_analyses_label_whole
    CHECK ((labelled_by IS NULL) = (labelled_at IS NULL)) NOT VALID,
  ADD CONSTRAINT cause_analyses_labeller_fk FOREIGN KEY (tenant_id, labelled_by)
    REFERENCES countersign.actors (tenant_id, id) NOT VALID,
  ADD CONSTRAINT cause_analyses_features_whole
    CHECK ((features IS NULL) = (features_version IS NULL)) NOT VALID;
