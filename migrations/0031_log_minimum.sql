-- A log may begin later than at its first event: what is older is in the archive, its tiles stay.
-- And a log that was restored from a backup may have a gap, known by its hashes alone.

ALTER TABLE countersign.audit_heads
  -- The first place whose event is still here.
  ADD COLUMN minimum bigint NOT NULL DEFAULT 0,
  -- The roots of the perfect subtrees of everything before it, largest first, 32 bytes each.
  ADD COLUMN edge bytea NOT NULL DEFAULT '',
  ADD CONSTRAINT audit_heads_minimum_range CHECK (minimum >= 0 AND minimum <= size) NOT VALID,
  ADD CONSTRAINT audit_heads_edge_size CHECK (octet_length(edge) % 32 = 0) NOT VALID;
ALTER TABLE countersign.audit_heads VALIDATE CONSTRAINT audit_heads_minimum_range;
ALTER TABLE countersign.audit_heads VALIDATE CONSTRAINT audit_heads_edge_size;

CREATE TABLE countersign.audit_gaps (
  tenant_id uuid NOT NULL,
  first_seq bigint NOT NULL,
  end_seq bigint NOT NULL,
  -- The hashes of the events that are not here, from the anchor, 32 bytes each.
  leaves bytea NOT NULL,
  made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT audit_gaps_pk PRIMARY KEY (tenant_id, first_seq),
  CONSTRAINT audit_gaps_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT audit_gaps_order CHECK (first_seq >= 0 AND end_seq > first_seq),
  CONSTRAINT audit_gaps_leaves_size CHECK (octet_length(leaves) = 32 * (end_seq - first_seq))
);
SELECT countersign.protect('countersign.audit_gaps');
GRANT SELECT ON countersign.audit_gaps TO countersign_app, countersign_report;
COMMENT ON TABLE countersign.audit_gaps IS
  'Places of the log a restored backup does not have, by their hashes. | – | kept';

CREATE POLICY sequencer ON countersign.audit_gaps TO countersign_sequencer
  USING (true) WITH CHECK (true);
GRANT INSERT ON countersign.audit_gaps TO countersign_sequencer;

-- Begins the log anew behind what the anchor has seen: the places in between are a gap.
CREATE FUNCTION countersign.audit_bridge(leader bigint, hashes bytea)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  tenant uuid := NULLIF(current_setting('app.tenant_id', true), '')::uuid;
  size bigint := countersign.audit_lock_head(tenant, leader);
  total bigint := size + octet_length(hashes) / 32;
BEGIN
  INSERT INTO countersign.audit_gaps (tenant_id, first_seq, end_seq, leaves)
  VALUES (tenant, size, total, hashes);
  UPDATE countersign.audit_heads h
  SET size = total, epoch = leader, updated_at = clock_timestamp()
  WHERE h.tenant_id = tenant;
  RETURN total;
END $$;
SELECT countersign.entrust('countersign.audit_bridge(bigint, bytea)', 'countersign_sequencer');

CREATE POLICY retention ON countersign.audit_events TO countersign_retention
  USING (true) WITH CHECK (false);
CREATE POLICY retention ON countersign.audit_heads TO countersign_retention
  USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id, seq), DELETE ON countersign.audit_events TO countersign_retention;
GRANT SELECT, UPDATE (minimum, edge) ON countersign.audit_heads TO countersign_retention;
GRANT SELECT (first_seq, end_seq) ON countersign.archives TO countersign_retention;

-- Takes the events of a stored piece out of one's own tenant's log: only from its beginning, only
-- if no hold keeps them. The log is as long as before, and begins later.
CREATE FUNCTION countersign.audit_prune(piece uuid, new_edge bytea)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  tenant uuid := NULLIF(current_setting('app.tenant_id', true), '')::uuid;
  head countersign.audit_heads;
  first bigint;
  until bigint;
  gone bigint;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(countersign.hold_lock(tenant));
  IF countersign.held(tenant, 'audit') THEN
    RAISE EXCEPTION 'a legal hold keeps this' USING ERRCODE = '23514', CONSTRAINT = 'legal_hold';
  END IF;
  SELECT * INTO STRICT head FROM countersign.audit_heads h WHERE h.tenant_id = tenant FOR UPDATE;
  SELECT a.first_seq, a.end_seq INTO STRICT first, until FROM countersign.archives a
  WHERE a.tenant_id = tenant AND a.id = piece AND a.subject = 'audit_events'
    AND a.state = 'stored';
  IF first <> head.minimum OR until > head.size THEN
    RAISE EXCEPTION 'the log begins at %, not at %', head.minimum, first
      USING ERRCODE = '23514', CONSTRAINT = 'audit_heads_minimum_range';
  END IF;
  DELETE FROM countersign.audit_events e WHERE e.tenant_id = tenant AND e.seq < until;
  GET DIAGNOSTICS gone = ROW_COUNT;
  UPDATE countersign.audit_heads h SET minimum = until, edge = new_edge
  WHERE h.tenant_id = tenant;
  RETURN gone;
END $$;
SELECT countersign.entrust('countersign.audit_prune(uuid, bytea)', 'countersign_retention');
