-- Alerts with their findings.
SELECT
  f.id, f.kind, f.title, f.severity, f.severity_raw, f.status, f.fingerprint, f.began_at,
  f.seen_count, f.first_seen, f.last_seen, f.resolved_at, f.resource_id, f.environment_id,
  a.alert_name, a.instance, a.job, a.source_name, a.source_status, a.ends_at, a.labels_json,
  a.annotations_json, a.action_taken, a.matched_rule_id, a.analyzed, a.analyzed_at,
  a.trigger_report, a.received_at
FROM countersign.findings f
JOIN countersign.alerts a ON a.tenant_id = f.tenant_id AND a.finding_id = f.id
WHERE f.tenant_id = $1
  AND f.id = ANY ($2)
