-- A tenant's room is entered without set_config.
--
-- set_config is a function, so whatever is injected into an expression can call it and change the
-- tenant of the next statement of the transaction. With this, nothing of ours needs it, and
-- `db migrate` takes it from everybody (`db/src/migrate/settings.rs`). SET is a statement, which no
-- expression can run, and needs no privilege: the function stays one without its owner's rights.

CREATE OR REPLACE FUNCTION countersign.enter_tenant(tenant uuid)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(pg_catalog.current_setting('app.tenant_id', true), '') <> '' THEN
    RAISE EXCEPTION 'the connection still carries a tenant' USING ERRCODE = 'CS001';
  END IF;
  IF tenant IS NOT NULL THEN
    EXECUTE pg_catalog.format('SET LOCAL app.tenant_id = %L', tenant);
  END IF;
END
$$;
