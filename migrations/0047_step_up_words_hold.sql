-- Every row has one of the words the migration before last allows.
ALTER TABLE countersign.step_up_policies VALIDATE CONSTRAINT step_up_policies_asked_words;
