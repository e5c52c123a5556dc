-- What refers to a credential ($2): every table with a foreign key to it. One more than is named.
SELECT u.what
FROM (
  SELECT 'the connection to ' || r.name AS what
  FROM countersign.connections c
  JOIN countersign.resources r ON r.tenant_id = c.tenant_id AND r.id = c.resource_id
  WHERE c.tenant_id = $1 AND c.credential_id = $2
  UNION ALL
  SELECT 'the alert source ' || s.name
  FROM countersign.alert_sources s
  WHERE s.tenant_id = $1 AND $2 IN (s.secret_id, s.previous_secret_id)
  UNION ALL
  SELECT 'the source of drift ' || i.name
  FROM countersign.iac_repositories i
  WHERE i.tenant_id = $1
    AND $2 IN (i.credential_id, i.scan_credential_id, i.repository_credential_id)
  UNION ALL
  SELECT 'the channel ' || n.name
  FROM countersign.notification_channels n
  WHERE n.tenant_id = $1 AND n.credential_id = $2
  UNION ALL
  SELECT 'the language model ' || l.name
  FROM countersign.llm_providers l
  WHERE l.tenant_id = $1 AND l.credential_id = $2
  UNION ALL
  SELECT 'the identity provider ' || o.name
  FROM countersign.oidc_providers o
  WHERE o.tenant_id = $1 AND o.credential_id = $2
) u
ORDER BY u.what
LIMIT 11
