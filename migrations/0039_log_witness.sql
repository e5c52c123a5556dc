-- How far a log is behind, and what a witness beside the deployment thinks of it.

ALTER TABLE countersign.audit_heads
  -- Up to which size the witness cosigned the log, and when it last did.
  ADD COLUMN witnessed bigint NOT NULL DEFAULT 0,
  ADD COLUMN witnessed_at timestamptz,
  -- Why it refuses to, while it does.
  ADD COLUMN witness_refusal text,
  ADD CONSTRAINT audit_heads_witnessed_range CHECK (witnessed >= 0) NOT VALID;

GRANT UPDATE (witnessed, witnessed_at, witness_refusal) ON countersign.audit_heads
  TO countersign_sequencer;
GRANT SELECT (created_at) ON countersign.audit_outbox TO countersign_sequencer;
GRANT SELECT (tenant_id, seq, occurred_at) ON countersign.audit_events TO countersign_sequencer;

-- Records what the witness said: how much it cosigned, or why it refuses.
CREATE FUNCTION countersign.audit_witnessed(tenant uuid, at_size bigint, refusal text)
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $$
  UPDATE countersign.audit_heads h
  SET witnessed = coalesce(at_size, h.witnessed),
      witnessed_at = CASE WHEN at_size IS NULL THEN h.witnessed_at ELSE clock_timestamp() END,
      witness_refusal = refusal
  WHERE h.tenant_id = tenant
$$;
SELECT countersign.entrust(
  'countersign.audit_witnessed(uuid, bigint, text)', 'countersign_sequencer');

-- Since when the oldest event of a log waits that is in no checkpoint, or in none that is cosigned;
-- NULL when none waits.
CREATE FUNCTION countersign.audit_waiting_since(tenant uuid, cosigned boolean)
RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT least(
    (SELECT o.created_at FROM countersign.audit_outbox o
     WHERE o.tenant_id = tenant ORDER BY o.id LIMIT 1),
    (SELECT e.occurred_at FROM countersign.audit_events e
     WHERE e.tenant_id = tenant AND e.seq >= CASE WHEN cosigned
       THEN coalesce((SELECT h.witnessed FROM countersign.audit_heads h
                      WHERE h.tenant_id = tenant), 0)
       ELSE coalesce((SELECT max(c.size) FROM countersign.audit_checkpoints c
                      WHERE c.tenant_id = tenant), 0) END
     ORDER BY e.seq LIMIT 1))
$$;
SELECT countersign.entrust(
  'countersign.audit_waiting_since(uuid, boolean)', 'countersign_sequencer');

-- Every log in which something waits, or that the witness refuses. What is not cosigned counts only
-- where it is asked for.
CREATE FUNCTION countersign.audit_standing(cosigned boolean)
RETURNS TABLE (tenant_id uuid, unsigned_since timestamptz, uncosigned_since timestamptz,
  refusal text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT s.id, countersign.audit_waiting_since(s.id, false),
    CASE WHEN cosigned THEN countersign.audit_waiting_since(s.id, true) END,
    (SELECT h.witness_refusal FROM countersign.audit_heads h WHERE h.tenant_id = s.id)
  FROM (
    -- From the tenants: an outbox that grows while nothing can be signed is not walked through.
    SELECT t.id FROM countersign.tenants t
    WHERE EXISTS (SELECT 1 FROM countersign.audit_outbox o WHERE o.tenant_id = t.id)
    UNION
    SELECT h.tenant_id FROM countersign.audit_heads h
    WHERE h.witness_refusal IS NOT NULL
      OR h.size > CASE WHEN cosigned THEN h.witnessed ELSE coalesce(
        (SELECT max(c.size) FROM countersign.audit_checkpoints c
         WHERE c.tenant_id = h.tenant_id), 0) END
  ) s
$$;
SELECT countersign.entrust('countersign.audit_standing(boolean)', 'countersign_sequencer');

-- The tenants whose newest checkpoint is not cosigned, or was long ago.
CREATE FUNCTION countersign.audit_uncosigned(heartbeat interval)
RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT h.tenant_id FROM countersign.audit_heads h
  WHERE EXISTS (
      SELECT 1 FROM countersign.audit_checkpoints c
      WHERE c.tenant_id = h.tenant_id AND c.size > h.witnessed)
    OR h.witness_refusal IS NOT NULL
    OR h.witnessed_at < clock_timestamp() - heartbeat
  ORDER BY h.tenant_id
$$;
SELECT countersign.entrust('countersign.audit_uncosigned(interval)', 'countersign_sequencer');
