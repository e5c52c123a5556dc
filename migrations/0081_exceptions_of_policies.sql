-- Exceptions end by hand too: who ended one, when and why. What no row has yet needs no look at the
-- rows there are.
ALTER TABLE countersign.exceptions
  ADD COLUMN revoked_at timestamptz,
  ADD COLUMN revoked_by uuid,
  ADD COLUMN revoke_reason text,
  ADD CONSTRAINT exceptions_revoker_fk FOREIGN KEY (tenant_id, revoked_by)
    REFERENCES countersign.actors (tenant_id, id) NOT VALID,
  ADD CONSTRAINT exceptions_revoked_is_over
    CHECK (revoked_at IS NULL OR status IN ('rejected', 'expired')) NOT VALID,
  ADD CONSTRAINT exceptions_revoked_by_somebody
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)
      AND (revoked_at IS NULL) = (revoke_reason IS NULL)) NOT VALID;

-- Which findings an exception is about, however it stands: the one it names; else what breaks its
-- policy, or any, at its resource, or at any. Nothing but violations is covered by a policy.
CREATE VIEW countersign.excepted WITH (security_invoker = true) AS
SELECT x.tenant_id, x.id AS exception_id, x.finding_id, x.status, x.expires_at
FROM countersign.exceptions x
WHERE x.finding_id IS NOT NULL
UNION ALL
SELECT x.tenant_id, x.id, v.finding_id, x.status, x.expires_at
FROM countersign.exceptions x
JOIN countersign.violations v ON v.tenant_id = x.tenant_id AND v.policy_id = x.policy_id
JOIN countersign.findings f ON f.tenant_id = v.tenant_id AND f.id = v.finding_id
WHERE x.finding_id IS NULL AND (x.resource_id IS NULL OR x.resource_id = f.resource_id)
UNION ALL
SELECT x.tenant_id, x.id, f.id, x.status, x.expires_at
FROM countersign.exceptions x
JOIN countersign.findings f ON f.tenant_id = x.tenant_id AND f.resource_id = x.resource_id
WHERE x.finding_id IS NULL AND x.policy_id IS NULL AND f.kind = 'violation';
GRANT SELECT ON countersign.excepted TO countersign_app;

-- A credential that nothing uses may go, and its secret with it.
GRANT DELETE ON countersign.credentials TO countersign_app;
