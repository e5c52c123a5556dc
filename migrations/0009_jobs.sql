-- Work handed from one stage to the next: PostgreSQL is the truth, notifications only wake.

CREATE TABLE countersign.jobs (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject text NOT NULL,
  type text NOT NULL,
  params jsonb NOT NULL DEFAULT '{}',
  idempotency_key text,
  attempts integer NOT NULL DEFAULT 0,
  max_attempts integer NOT NULL DEFAULT 10,
  run_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  lease_owner text,
  lease_epoch bigint NOT NULL DEFAULT 0,
  lease_until timestamptz,
  done_at timestamptz,
  dead_at timestamptz,
  last_error text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT jobs_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT jobs_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT jobs_idempotency_key UNIQUE (tenant_id, subject, idempotency_key)
);
-- Finds the tenants with open jobs by hopping over the index, then each one's oldest.
CREATE INDEX jobs_open ON countersign.jobs (tenant_id, run_at)
  WHERE done_at IS NULL AND dead_at IS NULL;
CREATE INDEX jobs_done ON countersign.jobs (tenant_id, done_at) WHERE done_at IS NOT NULL;
SELECT countersign.protect('countersign.jobs');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.jobs TO countersign_app;

CREATE POLICY queue ON countersign.jobs TO countersign_queue USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id, id, subject, run_at, attempts, lease_epoch, lease_until, done_at, dead_at),
  UPDATE (lease_owner, lease_epoch, lease_until, attempts) ON countersign.jobs TO countersign_queue;

-- Leases one job. Tenants take turns: first those with the fewest jobs under way, and by lot among
-- equals, so that a tenant with ten thousand jobs does not delay another's only one.
CREATE FUNCTION countersign.claim_job(worker text, ttl interval, wanted text[])
RETURNS TABLE (tenant_id uuid, job_id uuid, epoch bigint)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $$
  WITH RECURSIVE waiting AS (
    (SELECT j.tenant_id FROM countersign.jobs j
     WHERE j.done_at IS NULL AND j.dead_at IS NULL
     ORDER BY j.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT j.tenant_id FROM countersign.jobs j
            WHERE j.done_at IS NULL AND j.dead_at IS NULL AND j.tenant_id > w.tenant_id
            ORDER BY j.tenant_id LIMIT 1)
    FROM waiting w
    WHERE w.tenant_id IS NOT NULL
  ),
  -- A few of each tenant, not locked yet: another worker may be taking the first.
  candidate AS MATERIALIZED (
    SELECT head.tenant_id, head.id, head.turn, busy.jobs AS under_way, turns.lot
    FROM waiting w
    CROSS JOIN LATERAL (SELECT random() AS lot WHERE w.tenant_id IS NOT NULL) turns
    CROSS JOIN LATERAL (
      SELECT count(*) AS jobs FROM countersign.jobs j
      WHERE j.tenant_id = w.tenant_id AND j.done_at IS NULL AND j.dead_at IS NULL
        AND j.lease_until >= clock_timestamp()
    ) busy
    CROSS JOIN LATERAL (
      SELECT j.tenant_id, j.id, row_number() OVER (ORDER BY j.run_at, j.id) AS turn
      FROM countersign.jobs j
      WHERE j.tenant_id = w.tenant_id AND j.done_at IS NULL AND j.dead_at IS NULL
        AND j.subject = ANY (wanted)
        AND j.run_at <= clock_timestamp()
        AND (j.lease_until IS NULL OR j.lease_until < clock_timestamp())
      ORDER BY j.run_at, j.id
      LIMIT 8
    ) head
  ),
  free AS MATERIALIZED (
    SELECT j.tenant_id, j.id
    FROM candidate c
    JOIN countersign.jobs j ON j.tenant_id = c.tenant_id AND j.id = c.id
    -- Once more, for the row as it is when it is locked.
    WHERE j.done_at IS NULL AND j.dead_at IS NULL
      AND j.run_at <= clock_timestamp()
      AND (j.lease_until IS NULL OR j.lease_until < clock_timestamp())
    ORDER BY c.under_way + c.turn, c.lot, c.turn
    LIMIT 1
    FOR UPDATE OF j SKIP LOCKED
  )
  UPDATE countersign.jobs j
  SET lease_owner = worker,
      lease_epoch = j.lease_epoch + 1,
      lease_until = clock_timestamp() + ttl,
      attempts = j.attempts + 1
  FROM free
  WHERE j.tenant_id = free.tenant_id AND j.id = free.id
  RETURNING j.tenant_id, j.id, j.lease_epoch
$$;
SELECT countersign.entrust('countersign.claim_job(text, interval, text[])', 'countersign_queue');
