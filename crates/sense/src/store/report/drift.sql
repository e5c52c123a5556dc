-- What drifts add to their findings. A scan knows declarations by their source and address; a report
-- by somebody else takes no finding away from its scan.
INSERT INTO countersign.drift_events AS e (tenant_id, finding_id, iac_resource_id, drift_type,
  actual_state, declared_state, risk_assessment, tags, metadata, iac_repository_id, scan_id)
SELECT $1, d.finding_id,
  coalesce(d.iac_resource_id, (
    SELECT r.id FROM countersign.iac_resources r
    WHERE r.tenant_id = $1 AND r.iac_repository_id = d.iac_repository_id AND r.address = d.address)),
  d.drift_type, d.actual_state, d.declared_state, d.risk_assessment, d.tags, d.metadata,
  d.iac_repository_id, d.scan_id
FROM jsonb_to_recordset($2) AS d (finding_id uuid, iac_resource_id uuid, drift_type text,
  actual_state jsonb, declared_state jsonb, risk_assessment jsonb, tags jsonb, metadata jsonb,
  iac_repository_id uuid, scan_id uuid, address text)
ON CONFLICT ON CONSTRAINT drift_events_pk DO UPDATE
SET iac_resource_id = excluded.iac_resource_id, drift_type = excluded.drift_type,
  actual_state = excluded.actual_state, declared_state = excluded.declared_state,
  risk_assessment = excluded.risk_assessment, tags = excluded.tags, metadata = excluded.metadata,
  iac_repository_id = coalesce(excluded.iac_repository_id, e.iac_repository_id),
  scan_id = coalesce(excluded.scan_id, e.scan_id)
