-- The days of a tenant ($1) from $3 to $4, of one environment ($2) or of all, summed up.
WITH wanted AS (
  SELECT m.date, m.total_drifts, m.resolved_drifts, m.avg_resolution_time, m.top_cause_categories,
    m.severity_distribution, m.recommendation_adoption_rate
  FROM countersign.drift_metrics_daily m
  WHERE m.tenant_id = $1 AND ($2::uuid IS NULL OR m.environment_id = $2)
    AND m.date >= $3 AND m.date <= $4
),
causes AS (
  SELECT k.key, sum((k.value)::bigint) AS n
  FROM wanted w, jsonb_each_text(w.top_cause_categories) k
  WHERE k.value ~ '^[0-9]{1,9}$'
  GROUP BY k.key
),
severities AS (
  SELECT k.key, sum((k.value)::bigint) AS n
  FROM wanted w, jsonb_each_text(w.severity_distribution) k
  WHERE k.value ~ '^[0-9]{1,9}$'
  GROUP BY k.key
),
days AS (
  SELECT w.date, sum(w.total_drifts) AS total, sum(w.resolved_drifts) AS resolved
  FROM wanted w
  GROUP BY w.date
)
SELECT coalesce(sum(w.total_drifts), 0)::bigint AS total_drifts,
  coalesce(sum(w.resolved_drifts), 0)::bigint AS resolved_drifts,
  (extract(epoch FROM sum(w.avg_resolution_time * w.resolved_drifts))
    / nullif(sum(w.resolved_drifts) FILTER (WHERE w.avg_resolution_time IS NOT NULL), 0))::float8
    AS avg_resolution_time,
  coalesce((SELECT jsonb_object_agg(c.key, c.n) FROM causes c), '{}') AS top_cause_categories,
  coalesce((SELECT jsonb_object_agg(s.key, s.n) FROM severities s), '{}') AS severity_distribution,
  (sum(w.recommendation_adoption_rate * w.total_drifts)
    / nullif(sum(w.total_drifts) FILTER (WHERE w.recommendation_adoption_rate IS NOT NULL), 0))
    ::float8 AS recommendation_adoption_rate,
  coalesce((
    SELECT jsonb_agg(jsonb_build_object(
      'date', d.date, 'total_drifts', d.total, 'resolved_drifts', d.resolved) ORDER BY d.date)
    FROM days d), '[]') AS days
FROM wanted w
