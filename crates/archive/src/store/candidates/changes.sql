-- A change is over when nothing of it runs, waits for somebody or can still be approved.
SELECT t.id,
  CASE WHEN NOT EXISTS (
         SELECT 1 FROM countersign.executions e
         WHERE e.tenant_id = $1 AND e.intent_id = t.id AND e.completed_at IS NULL)
        AND NOT EXISTS (
         SELECT 1 FROM countersign.approvals a
         WHERE a.tenant_id = $1 AND a.intent_id = t.id AND a.status = 'pending')
  THEN greatest(
    t.updated_at,
    (SELECT max(e.completed_at) FROM countersign.executions e
     WHERE e.tenant_id = $1 AND e.intent_id = t.id),
    (SELECT max(o.recorded_at) FROM countersign.outcomes o
     WHERE o.tenant_id = $1 AND o.intent_id = t.id))
  END AS over_at,
  EXISTS (SELECT 1 FROM countersign.recommendations r
          WHERE r.tenant_id = $1 AND r.intent_id = t.id)
  OR EXISTS (SELECT 1 FROM countersign.terminal_sessions s
             WHERE s.tenant_id = $1 AND s.intent_id = t.id)
  OR EXISTS (SELECT 1 FROM countersign.notifications n
             WHERE n.tenant_id = $1 AND (n.intent_id = t.id OR n.approval_id IN (
               SELECT a.id FROM countersign.approvals a
               WHERE a.tenant_id = $1 AND a.intent_id = t.id)))
  OR EXISTS (SELECT 1 FROM countersign.exceptions x
             JOIN countersign.approvals a ON a.tenant_id = $1 AND a.id = x.approval_id
             WHERE x.tenant_id = $1 AND a.intent_id = t.id) AS referred_to,
  0 AS newer,
  false AS in_use
FROM countersign.intents t
WHERE t.tenant_id = $1 AND t.id > $2 AND t.created_at < $3
  AND ($5::uuid[] IS NULL OR t.id = ANY ($5))
ORDER BY t.id
LIMIT $4
