-- Nothing was there that could break them.
ALTER TABLE countersign.findings VALIDATE CONSTRAINT findings_escalation_whole;
ALTER TABLE countersign.findings VALIDATE CONSTRAINT findings_escalator_fk;
