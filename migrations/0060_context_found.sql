-- By which version of our rules it was found to belong; null for what others told.
ALTER TABLE countersign.operational_context ADD COLUMN rules_version integer;
