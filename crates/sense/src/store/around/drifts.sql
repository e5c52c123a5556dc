-- Drifts ($2) of a tenant ($1) with where they are, what they are of, and how often they came before:
-- earlier findings of the same resource with a property in common, or without any property.
SELECT f.id, f.began_at, f.environment_id, e.slug, e.class,
  coalesce(e.tags ->> 'timezone', t.settings ->> 'timezone') AS timezone,
  d.drift_type, d.metadata, d.risk_assessment,
  r.id AS resource_id, r.external_id, r.name, r.tags AS resource_tags, i.declared_in,
  coalesce(r.tags ->> 'service', d.tags ->> 'service') AS service,
  (SELECT count(*)
   FROM countersign.findings p
   WHERE p.tenant_id = $1 AND p.kind = 'drift' AND p.fingerprint = f.fingerprint
     AND p.began_at < f.began_at AND p.began_at >= f.began_at - interval '90 days'
     AND (EXISTS (
         SELECT 1
         FROM countersign.drift_changes now
         JOIN countersign.drift_changes before
           ON before.tenant_id = now.tenant_id AND before.property_path = now.property_path
         WHERE now.tenant_id = $1 AND now.finding_id = f.id AND before.finding_id = p.id)
       OR NOT EXISTS (
         SELECT 1 FROM countersign.drift_changes now
         WHERE now.tenant_id = $1 AND now.finding_id = f.id))) AS repeats
FROM unnest($2::uuid[]) WITH ORDINALITY AS wanted (id, n)
JOIN countersign.findings f ON f.tenant_id = $1 AND f.id = wanted.id
JOIN countersign.drift_events d ON d.tenant_id = $1 AND d.finding_id = f.id
JOIN countersign.tenants t ON t.id = $1
LEFT JOIN countersign.environments e ON e.tenant_id = $1 AND e.id = f.environment_id
LEFT JOIN countersign.iac_resources i
  ON i.tenant_id = $1 AND i.iac_repository_id = d.iac_repository_id
    AND i.address = d.metadata ->> 'address'
LEFT JOIN countersign.resources r ON r.tenant_id = $1 AND r.id = f.resource_id
WHERE f.status <> 'fixed'
ORDER BY wanted.n
