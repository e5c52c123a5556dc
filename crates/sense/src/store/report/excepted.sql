-- Violations ($2) that an exception lets stand are accepted from the beginning; what breaks another
-- policy now, or another resource's, than an exception was for is open again.
UPDATE countersign.findings f
SET status = CASE f.status WHEN 'open' THEN 'accepted' ELSE 'open' END,
  resolution_type = CASE f.status WHEN 'open' THEN 'accepted' END
WHERE f.tenant_id = $1 AND f.id = ANY ($2)
  AND f.status = CASE WHEN EXISTS (
    SELECT FROM countersign.excepted x
    WHERE x.tenant_id = f.tenant_id AND x.finding_id = f.id
      AND x.status = 'approved' AND x.expires_at > clock_timestamp()
  ) THEN 'open' ELSE 'accepted' END
