-- Why, one a finding. What somebody else reported stays as it was told, with our hashes beside it, so
-- that what belongs to it is not found again; a label given meanwhile stays as well.
INSERT INTO countersign.cause_analyses AS c (tenant_id, id, finding_id, cause_category,
  confidence_score, analysis, contributing_factors, temporal_context, user_attribution, decided_by,
  explained_of, explained_as, features_version, features)
SELECT $1, t.id, t.finding_id, t.cause_category, t.confidence_score, t.analysis,
  t.contributing_factors, t.temporal_context, t.user_attribution, t.decided_by,
  decode(t.explained_of, 'hex'), decode(t.explained_as, 'hex'), t.features_version, t.features
FROM jsonb_to_recordset($2) AS t (id uuid, finding_id uuid, cause_category text,
  confidence_score float8, analysis text, contributing_factors jsonb, temporal_context jsonb,
  user_attribution jsonb, decided_by jsonb, explained_of text, explained_as text,
  features_version integer, features float8[])
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
