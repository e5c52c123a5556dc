-- A finding is over when it was resolved and is not open again. Whoever acted on it, or made an
-- exception of it, keeps it: the change would lose its cause.
SELECT t.id,
  CASE WHEN t.status NOT IN ('open', 'escalated') THEN t.resolved_at END AS over_at,
  EXISTS (SELECT 1 FROM countersign.intents i
          WHERE i.tenant_id = $1 AND i.finding_id = t.id)
  OR EXISTS (SELECT 1 FROM countersign.executions e
             WHERE e.tenant_id = $1 AND e.finding_id = t.id)
  OR EXISTS (SELECT 1 FROM countersign.exceptions x
             WHERE x.tenant_id = $1 AND x.finding_id = t.id) AS referred_to,
  0 AS newer,
  false AS in_use
FROM countersign.findings t
WHERE t.tenant_id = $1 AND t.id > $2 AND t.first_seen < $3
  AND ($5::uuid[] IS NULL OR t.id = ANY ($5))
ORDER BY t.id
LIMIT $4
