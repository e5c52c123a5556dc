-- Holds for what is written from now on; the rows that are there are looked at by the next one.
ALTER TABLE countersign.findings
  ADD CONSTRAINT findings_probe_range CHECK (probe >= 0) NOT VALID;
