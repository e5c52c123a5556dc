-- The days of each environment of a tenant ($1) that can still have changed, in UTC, counted from what
-- was found and what was over on them.
WITH today AS (
  SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS day
),
since AS (
  SELECT greatest(least(coalesce((
      SELECT max(m.date) FROM countersign.drift_metrics_daily m WHERE m.tenant_id = $1),
    t.day - 90), t.day - 1), t.day - 90) AS day
  FROM today t
),
found AS MATERIALIZED (
  SELECT f.id, f.environment_id, f.severity, (f.first_seen AT TIME ZONE 'UTC')::date AS day
  FROM countersign.findings f
  WHERE f.tenant_id = $1 AND f.kind = 'drift' AND f.environment_id IS NOT NULL
    AND f.first_seen >= (SELECT s.day::timestamp AT TIME ZONE 'UTC' FROM since s)
),
over AS (
  SELECT f.environment_id, (f.resolved_at AT TIME ZONE 'UTC')::date AS day, count(*) AS resolved,
    avg(f.resolved_at - f.began_at) AS took
  FROM countersign.findings f
  WHERE f.tenant_id = $1 AND f.kind = 'drift' AND f.resolved_at IS NOT NULL
    AND f.environment_id IS NOT NULL
    AND f.resolved_at >= (SELECT s.day::timestamp AT TIME ZONE 'UTC' FROM since s)
  GROUP BY 1, 2
),
totals AS (
  SELECT environment_id, day, count(*) AS total FROM found GROUP BY 1, 2
),
severities AS (
  SELECT s.environment_id, s.day, jsonb_object_agg(s.severity, s.n) AS them
  FROM (SELECT environment_id, day, severity, count(*) AS n FROM found GROUP BY 1, 2, 3) s
  GROUP BY 1, 2
),
causes AS (
  SELECT k.environment_id, k.day, jsonb_object_agg(k.cause_category, k.n) AS them
  FROM (
    SELECT f.environment_id, f.day, c.cause_category, count(*) AS n
    FROM found f
    JOIN countersign.cause_analyses c ON c.tenant_id = $1 AND c.finding_id = f.id
    GROUP BY 1, 2, 3) k
  GROUP BY 1, 2
),
adopted AS (
  SELECT f.environment_id, f.day,
    avg((r.status IN ('accepted', 'implemented'))::integer)::float8 AS share
  FROM found f
  JOIN countersign.recommendations r
    ON r.tenant_id = $1 AND r.finding_id = f.id AND r.kind = 'drift'
  GROUP BY 1, 2
),
days AS (
  SELECT environment_id, day FROM totals
  UNION
  SELECT environment_id, day FROM over
)
INSERT INTO countersign.drift_metrics_daily AS m (tenant_id, id, environment_id, date, total_drifts,
  resolved_drifts, avg_resolution_time, top_cause_categories, severity_distribution,
  recommendation_adoption_rate)
SELECT $1,
  -- A UUID of version 7.
  (left(countersign.first_id_at(clock_timestamp())::text, 14) || '7'
    || substr(gen_random_uuid()::text, 16))::uuid,
  d.environment_id, d.day, coalesce(t.total, 0)::integer,
  coalesce(o.resolved, 0)::integer, o.took, coalesce(c.them, '{}'), coalesce(s.them, '{}'), a.share
FROM days d
LEFT JOIN totals t USING (environment_id, day)
LEFT JOIN over o USING (environment_id, day)
LEFT JOIN severities s USING (environment_id, day)
LEFT JOIN causes c USING (environment_id, day)
LEFT JOIN adopted a USING (environment_id, day)
ON CONFLICT ON CONSTRAINT drift_metrics_daily_day_key DO UPDATE
SET total_drifts = excluded.total_drifts, resolved_drifts = excluded.resolved_drifts,
  avg_resolution_time = excluded.avg_resolution_time,
  top_cause_categories = excluded.top_cause_categories,
  severity_distribution = excluded.severity_distribution,
  recommendation_adoption_rate = excluded.recommendation_adoption_rate
WHERE (m.total_drifts, m.resolved_drifts, m.avg_resolution_time, m.top_cause_categories,
    m.severity_distribution, m.recommendation_adoption_rate)
  IS DISTINCT FROM (excluded.total_drifts, excluded.resolved_drifts, excluded.avg_resolution_time,
    excluded.top_cause_categories, excluded.severity_distribution,
    excluded.recommendation_adoption_rate)
