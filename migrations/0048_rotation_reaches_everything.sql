-- A rotation of keys goes over everything that is sealed under a tenant's key: credentials, then
-- second factors, then secrets that are told once. `after_id` is where it is in the stage it is in.
ALTER TABLE countersign.key_rotations ADD COLUMN stage text NOT NULL DEFAULT 'credentials';
ALTER TABLE countersign.key_rotations ADD CONSTRAINT key_rotations_stage_word
  CHECK (stage IN ('credentials', 'second_factors', 'one_time_secrets')) NOT VALID;
GRANT UPDATE (stage) ON countersign.key_rotations TO countersign_app;
GRANT UPDATE (tenant_key_id, kek_id, wrapped_dek, nonce) ON countersign.one_time_secrets
  TO countersign_app;
