-- A new table that refers to a large one.
CREATE TABLE countersign.findings_notes (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  note text NOT NULL,
  CONSTRAINT findings_notes_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT findings_notes_finding_fk FOREIGN KEY (tenant_id, id)
    REFERENCES countersign.findings (tenant_id, id)
);
CREATE INDEX findings_notes_text ON countersign.findings_notes (tenant_id, note);
SELECT countersign.protect('countersign.findings_notes');
COMMENT ON TABLE countersign.findings_notes IS 'Notes.';
