-- What is critical asks a second factor of everybody, unless a tenant says otherwise: a third word
-- for the setting, and what holds where a tenant has set nothing.
--
-- The new CHECK is added before the old one goes, and holds for what is written from now on; the
-- table has a row for each tenant that ever set something.
ALTER TABLE countersign.step_up_policies
  ADD CONSTRAINT step_up_policies_asked_words
    CHECK (asked IN ('enrolled', 'required_for_critical', 'required')) NOT VALID;
ALTER TABLE countersign.step_up_policies DROP CONSTRAINT step_up_policies_asked_word;
