-- The words for the stage of a rotation hold for every row.
ALTER TABLE countersign.key_rotations VALIDATE CONSTRAINT key_rotations_stage_word;
