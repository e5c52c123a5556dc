-- What a scan has to say beside what it found: that nobody can know who changed it.
ALTER TABLE countersign.drift_scans
  ADD COLUMN remark text;
