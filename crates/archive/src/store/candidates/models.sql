-- Versions of a model, counted from the newest; $3 says nothing about them.
SELECT v.id, NULL::timestamptz AS over_at, false AS referred_to, v.newer, v.in_use
FROM (
  SELECT t.id, t.is_active AS in_use,
    (row_number() OVER (PARTITION BY t.name ORDER BY t.trained_at DESC, t.id DESC) - 1)::integer
      AS newer
  FROM countersign.ml_models t
  WHERE t.tenant_id = $1 AND $3::timestamptz IS NOT NULL
) v
WHERE v.id > $2
  AND ($5::uuid[] IS NULL OR v.id = ANY ($5))
ORDER BY v.id
LIMIT $4
