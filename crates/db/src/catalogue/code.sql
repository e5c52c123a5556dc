-- Views, functions, the schema and the roles. $1 and $2: the definer functions and their owners.
WITH allowed AS (
  SELECT pair.name, pair.role FROM unnest($1::text[], $2::text[]) AS pair (name, role)
),
-- Everything that is not PostgreSQL's own.
ours AS (
  SELECT oid, nspname::text AS name FROM pg_catalog.pg_namespace
  WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    AND nspname NOT LIKE 'pg\_temp\_%' AND nspname NOT LIKE 'pg\_toast\_temp\_%'
),
definers AS (
  SELECT p.oid, ours.name AS schema, p.proname::text AS name, p.proacl, p.proconfig,
         pg_get_userbyid(p.proowner)::text AS owner
  FROM pg_catalog.pg_proc p
  JOIN ours ON ours.oid = p.pronamespace
  WHERE p.prosecdef
)
SELECT ours.name || '.' || c.relname AS object,
       'is a view that sees with its owner''s eyes, not its reader''s' AS fault
FROM pg_catalog.pg_class c
JOIN ours ON ours.oid = c.relnamespace
WHERE c.relkind = 'v' AND NOT coalesce(c.reloptions @> ARRAY['security_invoker=true'], false)
UNION ALL
SELECT ours.name || '.' || c.relname, 'is a materialized view or foreign table, which no policy binds'
FROM pg_catalog.pg_class c
JOIN ours ON ours.oid = c.relnamespace
WHERE c.relkind IN ('m', 'f')
UNION ALL
SELECT ours.name || '.' || c.relname, 'names tenants outside the schema whose tables are protected'
FROM pg_catalog.pg_class c
JOIN ours ON ours.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a
  ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND ours.name <> 'countersign'
UNION ALL
SELECT d.schema || '.' || d.name, 'is a SECURITY DEFINER function nobody allowed'
FROM definers d
WHERE NOT EXISTS (
  SELECT 1 FROM allowed
  WHERE d.schema = 'countersign' AND allowed.name = d.name AND allowed.role = d.owner)
UNION ALL
SELECT d.schema || '.' || d.name, 'is a SECURITY DEFINER function without a search_path of its own'
FROM definers d
WHERE NOT EXISTS (
  SELECT 1 FROM unnest(d.proconfig) AS setting WHERE setting LIKE 'search\_path=%')
UNION ALL
-- No list at all is the default: everybody may call it.
SELECT d.schema || '.' || d.name, 'is a SECURITY DEFINER function anybody may call'
FROM definers d
WHERE d.proacl IS NULL
   OR EXISTS (SELECT 1 FROM aclexplode(d.proacl) AS acl WHERE acl.grantee = 0)
UNION ALL
SELECT 'schema countersign', acl.privilege_type || ' is granted to ' ||
       CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(acl.grantee)::text END
FROM pg_catalog.pg_namespace n, aclexplode(n.nspacl) AS acl
WHERE n.nspname = 'countersign' AND acl.grantee <> n.nspowner
  AND (acl.privilege_type <> 'USAGE' OR acl.grantee = 0)
UNION ALL
SELECT 'role ' || rolname, 'is a superuser, bypasses row-level security, or may make roles'
FROM pg_catalog.pg_roles
WHERE rolname LIKE 'countersign\_%' AND rolname <> 'countersign_admin'
  AND (rolsuper OR rolbypassrls OR rolcreaterole)
UNION ALL
SELECT 'role ' || rolname, 'may log in'
FROM pg_catalog.pg_roles
WHERE rolname IN ('countersign_owner', 'countersign_queue', 'countersign_sequencer',
                  'countersign_retention') AND rolcanlogin
UNION ALL
SELECT 'role ' || r.rolname, 'may become ' || pg_get_userbyid(m.roleid)
FROM pg_catalog.pg_auth_members m
JOIN pg_catalog.pg_roles r ON r.oid = m.member
WHERE r.rolname IN ('countersign_app', 'countersign_report')
UNION ALL
-- What is injected into an expression could change the tenant of the next statement.
SELECT 'pg_catalog.set_config', 'may be called by ' || rolname
FROM pg_catalog.pg_roles
WHERE rolname IN ('countersign_app', 'countersign_report')
  AND has_function_privilege(oid, 'pg_catalog.set_config(text, text, boolean)', 'EXECUTE')
