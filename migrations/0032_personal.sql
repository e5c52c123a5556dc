-- What the log says of a person by name lies beside the log, under a salt: the log holds a hash of
-- both. Erasing the row erases the person from the log, and no signed byte changes.

CREATE TABLE countersign.audit_personal (
  tenant_id uuid NOT NULL,
  event_id uuid NOT NULL,
  -- Whom it is about.
  actor_id uuid NOT NULL,
  salt bytea NOT NULL,
  -- Canonical JSON: display_name, ip_address, user_agent.
  body bytea NOT NULL,
  CONSTRAINT audit_personal_pk PRIMARY KEY (tenant_id, event_id),
  CONSTRAINT audit_personal_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT audit_personal_salt_size CHECK (octet_length(salt) = 32)
);
CREATE INDEX audit_personal_actor ON countersign.audit_personal (tenant_id, actor_id);
SELECT countersign.protect('countersign.audit_personal');
GRANT SELECT, INSERT ON countersign.audit_personal TO countersign_app;
GRANT SELECT (tenant_id, event_id, actor_id, body) ON countersign.audit_personal
  TO countersign_report;
COMMENT ON TABLE countersign.audit_personal IS
  'Who did it from where, by name: until erased. | – | with its event';

CREATE POLICY retention ON countersign.audit_personal TO countersign_retention
  USING (true) WITH CHECK (false);
GRANT SELECT (tenant_id, event_id, actor_id), DELETE ON countersign.audit_personal
  TO countersign_retention;
GRANT SELECT (id) ON countersign.audit_events TO countersign_retention;

-- What beside the log names the people of pruned events goes with them.
CREATE OR REPLACE FUNCTION countersign.audit_prune(piece uuid, new_edge bytea)
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
  DELETE FROM countersign.audit_personal p USING countersign.audit_events e
  WHERE p.tenant_id = tenant AND e.tenant_id = tenant AND e.id = p.event_id AND e.seq < until;
  DELETE FROM countersign.audit_events e WHERE e.tenant_id = tenant AND e.seq < until;
  GET DIAGNOSTICS gone = ROW_COUNT;
  UPDATE countersign.audit_heads h SET minimum = until, edge = new_edge
  WHERE h.tenant_id = tenant;
  RETURN gone;
END $$;

-- Votes name the person as well, so that one person votes once: an erased one keeps an id there.
ALTER POLICY retention ON countersign.approval_votes WITH CHECK (true);
GRANT UPDATE (person) ON countersign.approval_votes TO countersign_retention;
CREATE POLICY retention ON countersign.users FOR SELECT TO countersign_retention USING (true);
GRANT SELECT (tenant_id, id, actor_id) ON countersign.users TO countersign_retention;

-- Erases what names a person of one's own tenant beside the tables of people themselves, unless a
-- hold keeps it. Gives how many events named them.
CREATE FUNCTION countersign.erase_person(actor uuid)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  tenant uuid := NULLIF(current_setting('app.tenant_id', true), '')::uuid;
  gone bigint;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(countersign.hold_lock(tenant));
  IF countersign.held(tenant, 'audit') OR countersign.held(tenant, 'evidence')
    OR countersign.held(tenant, 'conversations')
  THEN
    RAISE EXCEPTION 'a legal hold keeps this' USING ERRCODE = '23514', CONSTRAINT = 'legal_hold';
  END IF;
  DELETE FROM countersign.audit_personal p WHERE p.tenant_id = tenant AND p.actor_id = actor;
  GET DIAGNOSTICS gone = ROW_COUNT;
  UPDATE countersign.approval_votes v SET person = actor::text
  WHERE v.tenant_id = tenant AND v.actor_id = actor;
  DELETE FROM countersign.chat_messages m
  USING countersign.chat_sessions s, countersign.users u
  WHERE m.tenant_id = tenant AND s.tenant_id = tenant AND s.id = m.session_id
    AND u.tenant_id = tenant AND u.id = s.user_id AND u.actor_id = actor;
  DELETE FROM countersign.chat_sessions s USING countersign.users u
  WHERE s.tenant_id = tenant AND u.tenant_id = tenant AND u.id = s.user_id AND u.actor_id = actor;
  RETURN gone;
END $$;
SELECT countersign.entrust('countersign.erase_person(uuid)', 'countersign_retention');

-- An event as it is shown: what was signed, and who it was as long as that is not erased.
CREATE FUNCTION countersign.event_document(tenant uuid, event uuid, canon bytea)
RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT said.document || coalesce((
    SELECT jsonb_strip_nulls(jsonb_build_object(
      'ip_address', known.body -> 'ip_address',
      'user_agent', known.body -> 'user_agent',
      'actor', (said.document -> 'actor') || jsonb_build_object(
        'display_name', known.body -> 'display_name')))
    FROM countersign.audit_personal p
    CROSS JOIN LATERAL (SELECT convert_from(p.body, 'UTF8')::jsonb AS body) known
    WHERE p.tenant_id = tenant AND p.event_id = event), '{}')
  FROM (SELECT convert_from(canon, 'UTF8')::jsonb AS document) said
$$;

CREATE OR REPLACE VIEW lens_governance.audits WITH (security_invoker = true) AS
SELECT a.id, a.tenant_id, document #>> '{actor,display_name}' AS actor, a.action, a.target_id,
  a.target_type, coalesce(document -> 'context', '{}') AS payload, a.occurred_at AS created_at
FROM countersign.audit_events a
CROSS JOIN LATERAL (SELECT countersign.event_document(a.tenant_id, a.id, a.canon) AS document) event;

CREATE OR REPLACE VIEW lens_aiops.audit_log WITH (security_invoker = true) AS
SELECT a.id, u.id AS user_id, a.action, a.target_type AS resource_type,
  countersign.bare_id(a.target_id) AS resource_id,
  coalesce(document -> 'context', '{}') AS details_json,
  document ->> 'ip_address' AS ip_address, a.occurred_at AS created_at
FROM countersign.audit_events a
CROSS JOIN LATERAL (SELECT countersign.event_document(a.tenant_id, a.id, a.canon) AS document) event
LEFT JOIN countersign.users u ON u.tenant_id = a.tenant_id AND u.actor_id = a.actor_id;

CREATE OR REPLACE VIEW lens_drift.audit_log WITH (security_invoker = true) AS
SELECT a.seq AS id, a.occurred_at AS timestamp, u.id AS user_id, a.action,
  a.target_type AS resource_type, a.target_id AS resource_id,
  document #> '{context,old_values}' AS old_values,
  document #> '{context,new_values}' AS new_values,
  countersign.address(document ->> 'ip_address') AS ip_address,
  document ->> 'user_agent' AS user_agent, document ->> 'session_id' AS session_id,
  a.tenant_id AS organization_id, a.success, document ->> 'error' AS error_message
FROM countersign.audit_events a
CROSS JOIN LATERAL (SELECT countersign.event_document(a.tenant_id, a.id, a.canon) AS document) event
LEFT JOIN countersign.users u ON u.tenant_id = a.tenant_id AND u.actor_id = a.actor_id;

CREATE OR REPLACE VIEW lens_assistant.audit_events WITH (security_invoker = true) AS
SELECT a.id AS event_id, a.occurred_at,
  countersign.actor_document(a.tenant_id, a.actor_id) || (document -> 'actor') AS actor_json,
  a.action, a.decision,
  countersign.context_document(a.tenant_id,
    countersign.bare_id(document #>> '{context,environment_id}'),
    document #>> '{context,environment}') AS context_json,
  coalesce(document -> 'evidence_refs', '[]') AS evidence_refs_json, encode(a.leaf, 'hex') AS hash
FROM countersign.audit_events a
CROSS JOIN LATERAL (SELECT countersign.event_document(a.tenant_id, a.id, a.canon) AS document) event;
