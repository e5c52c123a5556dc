-- Every row is within the range the migration before gave.
ALTER TABLE countersign.audit_heads VALIDATE CONSTRAINT audit_heads_witnessed_range;
