-- What a version ($2) looked at in its first week and on a day ($3), of a version of the list of
-- features ($4), at most so many of each ($5).
(SELECT true AS first_week, c.features
 FROM countersign.ml_models m
 JOIN countersign.ml_predictions p ON p.tenant_id = m.tenant_id AND p.ml_model_id = m.id
 JOIN countersign.cause_analyses c ON c.tenant_id = p.tenant_id AND c.finding_id = p.finding_id
 WHERE m.tenant_id = $1 AND m.id = $2 AND p.predicted_at >= m.deployed_at
   AND p.predicted_at < m.deployed_at + interval '7 days'
   AND p.predicted_at < $3::date::timestamp AT TIME ZONE 'UTC'
   AND c.features_version = $4
 ORDER BY p.id
 LIMIT $5)
UNION ALL
(SELECT false, c.features
 FROM countersign.ml_predictions p
 JOIN countersign.cause_analyses c ON c.tenant_id = p.tenant_id AND c.finding_id = p.finding_id
 WHERE p.tenant_id = $1 AND p.ml_model_id = $2
   AND p.predicted_at >= $3::date::timestamp AT TIME ZONE 'UTC'
   AND p.predicted_at < ($3::date + 1)::timestamp AT TIME ZONE 'UTC'
   AND c.features_version = $4
 ORDER BY p.id
 LIMIT $5)
