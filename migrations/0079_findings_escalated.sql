-- Who escalated a finding last, when, and why: whoever is to look at it reads that there.
ALTER TABLE countersign.findings
  ADD COLUMN escalated_by uuid,
  ADD COLUMN escalated_at timestamptz,
  ADD COLUMN escalation_reason text,
  ADD CONSTRAINT findings_escalation_whole CHECK (
    (escalated_by IS NULL) = (escalated_at IS NULL)
    AND (escalated_by IS NULL) = (escalation_reason IS NULL)) NOT VALID,
  ADD CONSTRAINT findings_escalator_fk FOREIGN KEY (tenant_id, escalated_by)
    REFERENCES countersign.actors (tenant_id, id) NOT VALID;
