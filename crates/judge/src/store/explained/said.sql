-- What was said of findings ($2).
SELECT f.id, c.explained_of, c.explained_as, c.cause_category,
  CASE WHEN c.decided_by ->> 'by' = 'person' THEN c.labelled_by END AS labelled_by,
  (SELECT x.id
   FROM countersign.exceptions x
   WHERE x.tenant_id = $1 AND x.finding_id = f.id AND x.status = 'approved'
     AND (x.expires_at IS NULL OR x.expires_at > clock_timestamp())
   ORDER BY x.id DESC
   LIMIT 1) AS exception,
  EXISTS (
    SELECT 1
    FROM countersign.recommendations r
    WHERE r.tenant_id = $1 AND r.finding_id = f.id AND r.rule IS NOT NULL
      AND (r.status NOT IN ('open', 'expired') OR r.intent_id IS NOT NULL
        OR (r.status = 'open' AND (r.expires_at IS NULL OR r.expires_at > clock_timestamp())))
  ) AS advised
FROM countersign.findings f
LEFT JOIN countersign.cause_analyses c ON c.tenant_id = f.tenant_id AND c.finding_id = f.id
WHERE f.tenant_id = $1 AND f.id = ANY ($2)
