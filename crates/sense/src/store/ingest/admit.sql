-- The alerts behind new findings.
INSERT INTO countersign.alerts (
  tenant_id, finding_id, source_id, source_name, sender_actor_id, alert_name, instance, job, source_status,
  starts_at, ends_at, labels_json, annotations_json, raw_alert_json, matched_rule_id, action_taken)
SELECT
  $1, finding_id, $2, $3, $16, alert_name, instance, job, source_status,
  starts_at, ends_at, labels::jsonb, annotations::jsonb, raw::json, rule_id, action
FROM unnest(
  $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[],
  $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::uuid[], $15::text[]
) AS notice (
  finding_id, alert_name, instance, job, source_status, starts_at,
  ends_at, labels, annotations, raw, rule_id, action)
