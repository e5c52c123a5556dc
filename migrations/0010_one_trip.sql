-- Entering a tenant's room says as well whether the connection came without one.
--
-- A connection that still carries a tenant was misused by an earlier holder: it is closed, never
-- handed on. Asked here, the question costs no trip of its own.

-- `tenant` NULL opens the corridor: no room, but the same question.
CREATE OR REPLACE FUNCTION countersign.enter_tenant(tenant uuid)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(pg_catalog.current_setting('app.tenant_id', true), '') <> '' THEN
    RAISE EXCEPTION 'the connection still carries a tenant' USING ERRCODE = 'CS001';
  END IF;
  IF tenant IS NOT NULL THEN
    PERFORM pg_catalog.set_config('app.tenant_id', tenant::text, true);
  END IF;
END
$$;
