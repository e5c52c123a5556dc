-- Events of a tenant ($1) as they were told ($2), each once: what is known otherwise becomes what was
-- told now, what is not known is added. Nobody else places events of this tenant meanwhile.
WITH told AS (
  SELECT DISTINCT ON (t.external_system, t.external_id, t.kind)
    t.id, t.kind, t.occurred_at, t.ended_at, t.external_system, t.external_id, t.actor, t.summary,
    t.service, t.severity, t.environment_id, t.paths, t.addresses, t.resources, t.shared_ids, t.data
  FROM jsonb_to_recordset($2) AS t (n integer, id uuid, kind text, occurred_at timestamptz,
    ended_at timestamptz, external_system text, external_id text, actor text, summary text,
    service text, severity text, environment_id uuid, paths text[], addresses text[],
    resources text[], shared_ids text[], data jsonb)
  ORDER BY t.external_system, t.external_id, t.kind, t.n DESC
),
known AS (
  SELECT t.id AS told_id, e.id
  FROM told t
  JOIN countersign.change_events e
    ON e.tenant_id = $1 AND e.external_system = t.external_system
      AND e.external_id = t.external_id AND e.kind = t.kind
),
changed AS (
  UPDATE countersign.change_events e
  SET occurred_at = t.occurred_at, ended_at = t.ended_at, actor = t.actor, summary = t.summary,
    service = t.service, severity = t.severity, environment_id = t.environment_id, paths = t.paths,
    addresses = t.addresses, resources = t.resources, shared_ids = t.shared_ids, data = t.data,
    updated_at = clock_timestamp()
  FROM known k
  JOIN told t ON t.id = k.told_id
  WHERE e.tenant_id = $1 AND e.id = k.id
    AND (e.occurred_at, e.ended_at, e.actor, e.summary, e.service, e.severity, e.environment_id,
         e.paths, e.addresses, e.resources, e.shared_ids, e.data)
      IS DISTINCT FROM
        (t.occurred_at, t.ended_at, t.actor, t.summary, t.service, t.severity, t.environment_id,
         t.paths, t.addresses, t.resources, t.shared_ids, t.data)
  RETURNING 1
),
fresh AS (
  INSERT INTO countersign.change_events (tenant_id, id, kind, occurred_at, ended_at,
    external_system, external_id, actor, summary, service, severity, environment_id, paths,
    addresses, resources, shared_ids, data)
  SELECT $1, t.id, t.kind, t.occurred_at, t.ended_at, t.external_system, t.external_id, t.actor,
    t.summary, t.service, t.severity, t.environment_id, t.paths, t.addresses, t.resources,
    t.shared_ids, t.data
  FROM told t
  WHERE NOT EXISTS (SELECT 1 FROM known k WHERE k.told_id = t.id)
  RETURNING 1
)
SELECT (SELECT count(*) FROM changed), (SELECT count(*) FROM fresh)
