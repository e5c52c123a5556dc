-- The audit log: an outbox written with every change, sequenced into one Merkle log a tenant.
--
-- The application adds to the outbox and reads the log. Everything else goes through functions of
-- countersign_sequencer, so that a fault in a query of the application's cannot change the log.

CREATE TABLE countersign.audit_outbox (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  canon bytea NOT NULL,
  -- HMAC-SHA-256 with a key the database does not have: a row put in by SQL alone is never signed.
  mac bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT audit_outbox_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT audit_outbox_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT audit_outbox_canon_size CHECK (octet_length(canon) BETWEEN 1 AND 32768)
);
SELECT countersign.protect('countersign.audit_outbox');
GRANT INSERT ON countersign.audit_outbox TO countersign_app;

-- How long the log of a tenant is. Whoever appends moves it on by compare-and-set.
CREATE TABLE countersign.audit_heads (
  tenant_id uuid NOT NULL,
  size bigint NOT NULL DEFAULT 0,
  -- The epoch of the sequencer that appended last.
  epoch bigint NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT audit_heads_pk PRIMARY KEY (tenant_id),
  CONSTRAINT audit_heads_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT audit_heads_size_range CHECK (size >= 0)
);
SELECT countersign.protect('countersign.audit_heads');
GRANT SELECT ON countersign.audit_heads TO countersign_app;

CREATE TABLE countersign.audit_events (
  tenant_id uuid NOT NULL,
  -- The place in the log, from 0, without gaps.
  seq bigint NOT NULL,
  id uuid NOT NULL,
  -- What is hashed. The columns after `mac` only repeat parts of it, to search by; `audit verify`
  -- compares them.
  canon bytea NOT NULL,
  -- SHA-256(0x00 || canon).
  leaf bytea NOT NULL,
  mac bytea NOT NULL,
  occurred_at timestamptz NOT NULL,
  action text NOT NULL,
  actor_id uuid NOT NULL,
  target_type text NOT NULL,
  target_id text NOT NULL,
  decision text,
  success boolean NOT NULL,
  CONSTRAINT audit_events_pk PRIMARY KEY (tenant_id, seq),
  CONSTRAINT audit_events_id_key UNIQUE (tenant_id, id),
  CONSTRAINT audit_events_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT audit_events_leaf_size CHECK (octet_length(leaf) = 32),
  CONSTRAINT audit_events_seq_range CHECK (seq >= 0)
);
CREATE INDEX audit_events_target ON countersign.audit_events (tenant_id, target_type, target_id, seq);
CREATE INDEX audit_events_actor ON countersign.audit_events (tenant_id, actor_id, seq);
SELECT countersign.protect('countersign.audit_events');
GRANT SELECT ON countersign.audit_events TO countersign_app;

-- What came into the outbox without a valid MAC: kept as evidence, never sequenced.
CREATE TABLE countersign.audit_quarantine (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  canon bytea NOT NULL,
  mac bytea NOT NULL,
  reason text NOT NULL,
  found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT audit_quarantine_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT audit_quarantine_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id)
);
SELECT countersign.protect('countersign.audit_quarantine');
GRANT SELECT ON countersign.audit_quarantine TO countersign_app;

CREATE TABLE countersign.audit_checkpoints (
  tenant_id uuid NOT NULL,
  size bigint NOT NULL,
  root bytea NOT NULL,
  -- The C2SP signed note.
  note text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT audit_checkpoints_pk PRIMARY KEY (tenant_id, size, created_at),
  CONSTRAINT audit_checkpoints_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT audit_checkpoints_root_size CHECK (octet_length(root) = 32)
);
SELECT countersign.protect('countersign.audit_checkpoints');
GRANT SELECT ON countersign.audit_checkpoints TO countersign_app;

-- The sequencer's own room.
CREATE POLICY sequencer ON countersign.tenants FOR SELECT TO countersign_sequencer USING (true);
CREATE POLICY sequencer ON countersign.audit_outbox TO countersign_sequencer
  USING (true) WITH CHECK (true);
CREATE POLICY sequencer ON countersign.audit_heads TO countersign_sequencer
  USING (true) WITH CHECK (true);
CREATE POLICY sequencer ON countersign.audit_events TO countersign_sequencer
  USING (true) WITH CHECK (true);
CREATE POLICY sequencer ON countersign.audit_quarantine TO countersign_sequencer
  USING (true) WITH CHECK (true);
CREATE POLICY sequencer ON countersign.audit_checkpoints TO countersign_sequencer
  USING (true) WITH CHECK (true);
GRANT SELECT (id) ON countersign.tenants TO countersign_sequencer;
GRANT SELECT (tenant_id, id, canon, mac), DELETE ON countersign.audit_outbox
  TO countersign_sequencer;
GRANT SELECT, INSERT, UPDATE (size, epoch, updated_at) ON countersign.audit_heads
  TO countersign_sequencer;
GRANT INSERT ON countersign.audit_events, countersign.audit_quarantine TO countersign_sequencer;
-- ON CONFLICT reads the columns of its constraint.
GRANT SELECT (tenant_id, id) ON countersign.audit_quarantine TO countersign_sequencer;
GRANT SELECT (tenant_id, size, created_at), INSERT ON countersign.audit_checkpoints
  TO countersign_sequencer;

-- The number of the sequencer that leads. A sequence, because taking a number is never undone.
CREATE SEQUENCE countersign.audit_epoch AS bigint;
GRANT SELECT, USAGE ON SEQUENCE countersign.audit_epoch TO countersign_sequencer;

-- Begins an epoch: from now on no sequencer of an earlier one can append.
CREATE FUNCTION countersign.audit_lead()
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT nextval('countersign.audit_epoch')
$$;
SELECT countersign.entrust('countersign.audit_lead()', 'countersign_sequencer');

-- The tenants with something to sequence.
CREATE FUNCTION countersign.audit_pending()
RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT t.id FROM countersign.tenants t
  WHERE EXISTS (SELECT 1 FROM countersign.audit_outbox o WHERE o.tenant_id = t.id)
  ORDER BY t.id
$$;
SELECT countersign.entrust('countersign.audit_pending()', 'countersign_sequencer');

-- The tenants whose log grew since its last checkpoint, or whose checkpoint is due again.
CREATE FUNCTION countersign.audit_unsigned(heartbeat interval)
RETURNS TABLE (tenant_id uuid, size bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT h.tenant_id, h.size FROM countersign.audit_heads h
  LEFT JOIN LATERAL (
    SELECT c.size, c.created_at FROM countersign.audit_checkpoints c
    WHERE c.tenant_id = h.tenant_id
    ORDER BY c.size DESC, c.created_at DESC
    LIMIT 1
  ) last ON true
  WHERE last.size IS DISTINCT FROM h.size OR last.created_at < clock_timestamp() - heartbeat
  ORDER BY h.tenant_id
$$;
SELECT countersign.entrust('countersign.audit_unsigned(interval)', 'countersign_sequencer');

-- Takes the next batch out of the outbox; the transaction that does so must append or quarantine
-- every row of it.
CREATE FUNCTION countersign.audit_take(tenant uuid, most integer)
RETURNS TABLE (id uuid, canon bytea, mac bytea)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $$
  WITH batch AS (
    SELECT o.id FROM countersign.audit_outbox o
    WHERE o.tenant_id = tenant
    ORDER BY o.id
    LIMIT most
  ), taken AS (
    DELETE FROM countersign.audit_outbox o USING batch
    WHERE o.tenant_id = tenant AND o.id = batch.id
    RETURNING o.id, o.canon, o.mac
  )
  SELECT taken.id, taken.canon, taken.mac FROM taken ORDER BY taken.id
$$;
SELECT countersign.entrust('countersign.audit_take(uuid, integer)', 'countersign_sequencer');

-- Locks the head of a log for the sequencer of the present epoch, and says how long the log is.
CREATE FUNCTION countersign.audit_lock_head(tenant uuid, leader bigint)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  head countersign.audit_heads;
  present bigint;
BEGIN
  INSERT INTO countersign.audit_heads (tenant_id, epoch) VALUES (tenant, leader)
  ON CONFLICT ON CONSTRAINT audit_heads_pk DO NOTHING;
  SELECT * INTO STRICT head FROM countersign.audit_heads h WHERE h.tenant_id = tenant FOR UPDATE;
  SELECT last_value INTO STRICT present FROM countersign.audit_epoch;
  IF leader <> present OR leader < head.epoch THEN
    RAISE EXCEPTION 'epoch % has ended: a sequencer of epoch % leads', leader, present
      USING ERRCODE = '55000', CONSTRAINT = 'audit_epoch_ended';
  END IF;
  RETURN head.size;
END $$;
SELECT countersign.entrust('countersign.audit_lock_head(uuid, bigint)', 'countersign_sequencer');

-- Appends to a log whose head this transaction has locked.
CREATE FUNCTION countersign.audit_append(
  tenant uuid, leader bigint, ids uuid[], canons bytea[], leaves bytea[], macs bytea[],
  occurred_micros bigint[], actions text[], actors uuid[], target_types text[],
  target_ids text[], decisions text[], successes boolean[])
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  first bigint := countersign.audit_lock_head(tenant, leader);
  total bigint := first + cardinality(ids);
BEGIN
  INSERT INTO countersign.audit_events (
    tenant_id, seq, id, canon, leaf, mac,
    occurred_at, action, actor_id, target_type, target_id, decision, success)
  SELECT tenant, first + e.n - 1, e.id, e.canon, e.leaf, e.mac,
    timestamptz 'epoch' + e.micros * interval '1 microsecond',
    e.action, e.actor, e.target_type, e.target_id, e.decision, e.success
  FROM unnest(ids, canons, leaves, macs, occurred_micros, actions, actors, target_types,
    target_ids, decisions, successes) WITH ORDINALITY
    AS e (id, canon, leaf, mac, micros, action, actor, target_type,
      target_id, decision, success, n);
  UPDATE countersign.audit_heads h
  SET size = total, epoch = leader, updated_at = clock_timestamp()
  WHERE h.tenant_id = tenant;
  RETURN total;
END $$;
SELECT countersign.entrust(
  'countersign.audit_append(uuid, bigint, uuid[], bytea[], bytea[], bytea[], bigint[], text[], '
  'uuid[], text[], text[], text[], boolean[])',
  'countersign_sequencer');

CREATE FUNCTION countersign.audit_reject(
  tenant uuid, ids uuid[], canons bytea[], macs bytea[], reasons text[])
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $$
  INSERT INTO countersign.audit_quarantine (tenant_id, id, canon, mac, reason)
  SELECT tenant, e.id, e.canon, e.mac, e.reason
  FROM unnest(ids, canons, macs, reasons) AS e (id, canon, mac, reason)
  ON CONFLICT ON CONSTRAINT audit_quarantine_pk DO NOTHING
$$;
SELECT countersign.entrust(
  'countersign.audit_reject(uuid, uuid[], bytea[], bytea[], text[])', 'countersign_sequencer');

CREATE FUNCTION countersign.audit_record_checkpoint(
  tenant uuid, at_size bigint, at_root bytea, signed text)
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $$
  INSERT INTO countersign.audit_checkpoints (tenant_id, size, root, note)
  VALUES (tenant, at_size, at_root, signed)
$$;
SELECT countersign.entrust(
  'countersign.audit_record_checkpoint(uuid, bigint, bytea, text)', 'countersign_sequencer');
