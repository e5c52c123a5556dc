-- A remediation under way with the execution it waits for, and what its findings call the resources.
SELECT r.id, r.iac_repository_id, r.kind, r.reason, r.state, r.requested_by, r.prepared,
  ARRAY(
    SELECT DISTINCT d.metadata ->> 'address'
    FROM countersign.drift_events d
    WHERE d.tenant_id = r.tenant_id AND d.finding_id = ANY (r.finding_ids)
      AND d.metadata ->> 'address' IS NOT NULL
    ORDER BY 1
  ) AS addresses,
  e.id AS execution_id, e.state AS execution_state, e.error_message AS execution_error
FROM countersign.remediations r
LEFT JOIN countersign.executions e
  ON e.tenant_id = r.tenant_id
 AND e.id = CASE r.state WHEN 'preparing' THEN r.preparation_id
                         WHEN 'asked' THEN r.execution_id
                         WHEN 'checking' THEN r.check_id END
WHERE r.tenant_id = $1 AND r.id = $2 AND r.ended_at IS NULL
FOR NO KEY UPDATE OF r
