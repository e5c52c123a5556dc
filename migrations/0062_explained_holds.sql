-- What stands there says of itself what the new constraints ask for: nothing.
ALTER TABLE countersign.cause_analyses VALIDATE CONSTRAINT cause_analyses_label_whole;
ALTER TABLE countersign.cause_analyses VALIDATE CONSTRAINT cause_analyses_labeller_fk;
ALTER TABLE countersign.cause_analyses VALIDATE CONSTRAINT cause_analyses_features_whole;
