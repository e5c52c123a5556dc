-- Quotas of the decision API: how many evaluations a month, by the tier of key and tenant.

-- The month a use counts in, as its first day, in UTC whatever the session's time zone.
CREATE FUNCTION countersign.usage_period(moment timestamptz)
RETURNS date LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
  SELECT date_trunc('month', moment AT TIME ZONE 'UTC')::date
$$;

-- When a month is over.
CREATE FUNCTION countersign.usage_resets_at(period date)
RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
  SELECT (period + interval '1 month') AT TIME ZONE 'UTC'
$$;
REVOKE ALL ON FUNCTION countersign.usage_period(timestamptz), countersign.usage_resets_at(date)
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION countersign.usage_period(timestamptz),
  countersign.usage_resets_at(date) TO countersign_app;

-- One row for whatever has a limit, so that counting and taking are one step. What has none is
-- counted in the log alone.
CREATE TABLE countersign.usage_counters (
  tenant_id uuid NOT NULL,
  scope text NOT NULL,
  -- The key, or the tenant.
  scope_id uuid NOT NULL,
  period date NOT NULL,
  used bigint NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT usage_counters_pk PRIMARY KEY (tenant_id, scope, scope_id, period),
  CONSTRAINT usage_counters_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT usage_counters_scope_word CHECK (scope IN ('tenant', 'key')),
  CONSTRAINT usage_counters_used_positive CHECK (used >= 0)
);
SELECT countersign.protect('countersign.usage_counters');
GRANT SELECT, INSERT, UPDATE ON countersign.usage_counters TO countersign_app;
COMMENT ON TABLE countersign.usage_counters IS
  'How much of a quota is used, by `(tenant_id, scope, scope_id, period)`. | 003 api_keys | 13 months';
