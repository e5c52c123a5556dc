-- Findings with their alerts, newest first: ids are in the order of time.
SELECT
  f.id, f.kind, f.title, f.severity, f.severity_raw, f.status, f.fingerprint, f.began_at,
  f.seen_count, f.first_seen, f.last_seen, f.resolved_at, f.resource_id, f.environment_id,
  a.alert_name, a.instance, a.job, a.source_name, a.source_status, a.ends_at, a.labels_json,
  a.annotations_json, a.action_taken, a.matched_rule_id, a.analyzed, a.analyzed_at,
  a.trigger_report
FROM countersign.findings f
JOIN countersign.alerts a ON a.tenant_id = f.tenant_id AND a.finding_id = f.id
WHERE f.tenant_id = $1
  -- Only what comes after the cursor.
  AND ($2::uuid IS NULL OR f.id < $2)
  AND ($3::text IS NULL OR f.severity = $3)
  AND ($4::text IS NULL OR f.status = $4)
  AND ($5::text IS NULL OR a.alert_name = $5)
  -- Plain text, not a pattern.
  AND ($6::text IS NULL OR position(lower($6) IN lower(f.title)) > 0)
ORDER BY f.id DESC
LIMIT $7
