-- How far the output of an attempt came while it comes, stream by stream: what lies in the object
-- store, in pieces, and the little that is not there yet. Once the attempt is closed its document
-- says all of this, and the tails are dropped.
ALTER TABLE countersign.attempts
  -- Under whose name the pieces lie: the call of the tool that prints.
  ADD COLUMN output_call uuid,
  ADD COLUMN stdout_kept bigint NOT NULL DEFAULT 0,
  ADD COLUMN stdout_tail bytea,
  ADD COLUMN stderr_kept bigint NOT NULL DEFAULT 0,
  ADD COLUMN stderr_tail bytea;
