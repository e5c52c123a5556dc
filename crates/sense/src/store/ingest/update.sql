-- What known alerts say now. Their findings are locked by this transaction, so `before` is what
-- the last transaction left.
WITH told AS (
  UPDATE countersign.alerts AS alert
  SET source_status = CASE WHEN notice.resolved THEN 'resolved' ELSE alert.source_status END,
      ends_at = greatest(alert.ends_at, notice.ends_at),
      labels_json = notice.labels::jsonb,
      annotations_json = notice.annotations::jsonb,
      raw_alert_json = notice.raw::json
  FROM unnest(
      $2::uuid[], $3::boolean[], $4::timestamptz[], $5::text[], $6::text[], $7::text[],
      $8::bigint[], $9::text[], $10::text[], $11::text[]
    ) AS notice (
      finding_id, resolved, ends_at, labels, annotations, raw,
      content_hash, title, severity, severity_raw)
  JOIN countersign.alerts AS before
    ON before.tenant_id = $1 AND before.finding_id = notice.finding_id
  WHERE alert.tenant_id = $1
    AND alert.finding_id = notice.finding_id
    -- A firing notice of a resolved alert is late.
    AND (notice.resolved OR before.source_status = 'firing')
  RETURNING
    alert.finding_id, notice.content_hash, notice.title, notice.severity, notice.severity_raw,
    notice.resolved AND before.source_status = 'firing' AS now_resolved
), marked AS (
  UPDATE countersign.findings AS finding
  SET content_hash = told.content_hash,
      title = told.title,
      severity = told.severity,
      severity_raw = told.severity_raw
  FROM told
  WHERE finding.tenant_id = $1
    AND finding.id = told.finding_id
)
SELECT finding_id FROM told WHERE now_resolved
