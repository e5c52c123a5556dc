-- Lenses: whoever knows one of the five source documents finds their own tables.
--
-- One schema a document, read-only, with exactly its tables, columns and words; `db roles` makes the
-- schemas. The views see with their reader's eyes, so the wall between tenants stands here too. Ids
-- are UUIDs in all of them; severity is an ordered type, so that sorting by it sorts by severity and
-- not by letters.

CREATE TYPE countersign.severity AS ENUM ('low', 'medium', 'high', 'critical');

-- The UUID of an id as the API shows it: `exe_0190…`. Null for what is none.
CREATE FUNCTION countersign.bare_id(shown text)
RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
  SELECT CASE WHEN shown ~ '^([a-z]{2,8}_)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
    THEN right(shown, 36)::uuid END
$$;

-- A rendered script as people read it; a value that is known only later is shown by its name.
CREATE FUNCTION countersign.script_text(segments jsonb)
RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
  SELECT string_agg(coalesce(s.segment ->> 'text', '<' || (s.segment #>> '{slot,name}') || '>'), ''
    ORDER BY s.n)
  FROM jsonb_array_elements(segments) WITH ORDINALITY AS s (segment, n)
$$;

-- How the documents' states are called: spec of each lens, unified states on the left.
CREATE FUNCTION countersign.execution_word(state text, lens text)
RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
  SELECT CASE lens
    WHEN 'assistant' THEN CASE
      WHEN state IN ('queued', 'preflight', 'awaiting_approval', 'approved') THEN 'pending'
      WHEN state IN ('in_progress', 'verifying', 'rolling_back') THEN 'running'
      WHEN state = 'completed' THEN 'succeeded'
      WHEN state IN ('cancelled', 'rolled_back') THEN state
      ELSE 'failed' END
    WHEN 'governance' THEN CASE
      WHEN state IN ('awaiting_approval', 'approved') THEN 'preflight'
      WHEN state = 'rolling_back' THEN 'in_progress'
      WHEN state IN ('queued', 'preflight', 'in_progress', 'verifying', 'completed', 'rolled_back')
        THEN state
      ELSE 'failed' END
    WHEN 'aiops' THEN CASE
      WHEN state IN ('queued', 'preflight', 'awaiting_approval') THEN 'pending'
      WHEN state IN ('in_progress', 'verifying', 'rolling_back') THEN 'running'
      WHEN state IN ('timed_out', 'expired') THEN 'timeout'
      WHEN state IN ('approved', 'completed', 'cancelled') THEN state
      ELSE 'failed' END
  END
$$;

-- Document 000 knows three environments and says `stage`.
CREATE FUNCTION countersign.stage_word(class text)
RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
  SELECT CASE class WHEN 'staging' THEN 'stage' WHEN 'test' THEN 'dev' ELSE class END
$$;

-- An address, or null for what a proxy or a client wrote in its place.
CREATE FUNCTION countersign.address(shown text)
RETURNS inet LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
BEGIN
  RETURN shown::inet;
EXCEPTION WHEN invalid_text_representation THEN
  RETURN NULL;
END $$;

-- Statistics of runbooks, as document 002 defines them.
CREATE VIEW countersign.execution_stats WITH (security_invoker = true) AS
SELECT r.tenant_id, r.id AS runbook_id, r.name AS runbook_name,
  count(e.id) AS total_executions,
  count(*) FILTER (WHERE e.state = 'completed') AS successful,
  count(*) FILTER (WHERE countersign.execution_word(e.state, 'aiops') = 'failed') AS failed,
  avg(e.duration_ms) AS avg_duration_ms,
  max(e.started_at) AS last_execution
FROM countersign.runbooks r
LEFT JOIN countersign.executions e ON e.tenant_id = r.tenant_id AND e.runbook_id = r.id
GROUP BY r.tenant_id, r.id, r.name;
GRANT SELECT ON countersign.execution_stats TO countersign_app;

-- Read-only, for the application's role.
CREATE FUNCTION countersign.open_lens(lens text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO countersign_app', lens);
  EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO countersign_app', lens);
END $$;
REVOKE ALL ON FUNCTION countersign.open_lens(text) FROM PUBLIC;
