-- Every drift that names its source names one there is.
ALTER TABLE countersign.drift_events VALIDATE CONSTRAINT drift_events_repository_fk;
