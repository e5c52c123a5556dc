-- Nothing was there that could break them.
ALTER TABLE countersign.exceptions VALIDATE CONSTRAINT exceptions_revoker_fk;
ALTER TABLE countersign.exceptions VALIDATE CONSTRAINT exceptions_revoked_is_over;
ALTER TABLE countersign.exceptions VALIDATE CONSTRAINT exceptions_revoked_by_somebody;
