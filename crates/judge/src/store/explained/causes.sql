-- Why, one a finding. What somebody else reported stays as it was told, with our hashes beside it, so
-- that what belongs to it is not found again; a label given meanwhile stays as well.
INSERT INTO countersign.cause_analyses AS c (tenant_id, id, finding_id, cause_category,
  confidence_score, analysis, contributing_factors, temporal_context, user_attribution, decided_by,
  explained_of, explained_as, features_version, features)
SELECT $1, t.id, t.finding_id, t.cause_category, t.confidence_score, t.analysis,
  t.contributing_factors, t.temporal_context, t.user_attribution, t.decided_by, t.explained_of,
  t.explained_as, $13,
  -- So many ($15) numbers of each, one finding's after the other's.
  ($14::float8[])[(t.n - 1) * $15 + 1:t.n * $15]
FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::float8[], $6::text[], $7::jsonb[], $8::jsonb[],
  $9::jsonb[], $10::jsonb[], $11::bytea[], $12::bytea[]) WITH ORDINALITY
  AS t (id, finding_id, cause_category, confidence_score, analysis, contributing_factors,
    temporal_context, user_attribution, decided_by, explained_of, explained_as, n)
ON CONFLICT ON CONSTRAINT cause_analyses_finding_key DO UPDATE
SET (cause_category, confidence_score, analysis, contributing_factors, temporal_context,
     user_attribution, decided_by, analyzed_at) = (
    SELECT x.*
    FROM (
      SELECT c.cause_category, c.confidence_score, c.analysis, c.contributing_factors,
        c.temporal_context, c.user_attribution, c.decided_by, c.analyzed_at
      WHERE c.decided_by ->> 'by' = 'reported'
      UNION ALL
      SELECT excluded.cause_category, excluded.confidence_score, excluded.analysis,
        excluded.contributing_factors, excluded.temporal_context, excluded.user_attribution,
        excluded.decided_by, clock_timestamp()
      WHERE c.decided_by ->> 'by' <> 'reported') AS x),
  explained_of = excluded.explained_of, explained_as = excluded.explained_as,
  features_version = excluded.features_version, features = excluded.features
