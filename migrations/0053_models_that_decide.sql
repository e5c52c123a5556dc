-- A model's file stands with its version, and what decides was compared with what decided before.
ALTER TABLE countersign.ml_models
  ADD COLUMN artifact text,
  ADD COLUMN artifact_sha256 bytea,
  -- The last comparison, as training::champion writes it; replaced with the next one.
  ADD COLUMN comparison jsonb;
ALTER TABLE countersign.ml_models ADD CONSTRAINT ml_models_artifact_whole
  CHECK ((artifact IS NULL) = (artifact_sha256 IS NULL)) NOT VALID;
ALTER TABLE countersign.ml_models ADD CONSTRAINT ml_models_artifact_sha256_length
  CHECK (octet_length(artifact_sha256) = 32) NOT VALID;
ALTER TABLE countersign.ml_models ADD CONSTRAINT ml_models_active_compared
  CHECK (NOT is_active OR (comparison IS NOT NULL AND artifact IS NOT NULL)) NOT VALID;
