-- Emergency authority: for a while, with a reason, and with a review that somebody else closes.

CREATE TABLE countersign.break_glass (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  actor_id uuid NOT NULL,
  -- Whoever is behind the account: two accounts of one person are one person.
  person text NOT NULL,
  reason text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  ended_at timestamptz,
  reviewed_by uuid,
  reviewed_at timestamptz,
  review_verdict text,
  review_notes text,
  CONSTRAINT break_glass_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT break_glass_actor_fk FOREIGN KEY (tenant_id, actor_id)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT break_glass_reviewer_fk FOREIGN KEY (tenant_id, reviewed_by)
    REFERENCES countersign.actors (tenant_id, id),
  CONSTRAINT break_glass_order CHECK (started_at < expires_at AND ended_at >= started_at),
  CONSTRAINT break_glass_verdict_word CHECK (review_verdict IN ('justified', 'not_justified')),
  CONSTRAINT break_glass_review_whole CHECK (
    (reviewed_at IS NULL) = (reviewed_by IS NULL)
    AND (reviewed_at IS NULL) = (review_verdict IS NULL)
    AND (reviewed_at IS NULL) = (review_notes IS NULL)),
  CONSTRAINT break_glass_other_reviewer CHECK (reviewed_by <> actor_id)
);
-- Nobody breaks the glass a second time before the first is reviewed, at whatever moment they ask.
CREATE UNIQUE INDEX break_glass_unreviewed_key ON countersign.break_glass (tenant_id, person)
  WHERE reviewed_at IS NULL;
SELECT countersign.protect('countersign.break_glass');
GRANT SELECT, INSERT ON countersign.break_glass TO countersign_app;
GRANT UPDATE (ended_at, reviewed_by, reviewed_at, review_verdict, review_notes)
  ON countersign.break_glass TO countersign_app;
COMMENT ON TABLE countersign.break_glass IS
  'Emergency authority people took, and its reviews. | 001 break glass | kept';

-- An approval that one person gave alone, under emergency authority.
ALTER TABLE countersign.approvals
  ADD COLUMN break_glass_id uuid,
  ADD CONSTRAINT approvals_break_glass_fk FOREIGN KEY (tenant_id, break_glass_id)
    REFERENCES countersign.break_glass (tenant_id, id) NOT VALID;
ALTER TABLE countersign.approvals VALIDATE CONSTRAINT approvals_break_glass_fk;
