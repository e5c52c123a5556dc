-- Tables, their policies, keys and grants. $1 and $2: the (table, role) pairs that may look across
-- tenants. $3, $4 and $5: the (table, column, role) of secrets, and who reads them beside the
-- application.
WITH app AS (
  SELECT oid FROM pg_catalog.pg_roles WHERE rolname = 'countersign_app'
),
-- Reports read, behind the same wall.
report AS (
  SELECT oid FROM pg_catalog.pg_roles WHERE rolname = 'countersign_report'
),
across AS (
  SELECT pair.name, pair.role::regrole::oid AS role
  FROM unnest($1::text[], $2::text[]) AS pair (name, role)
),
-- Every table but the record of migrations, which names no tenant. Partitions included: a policy
-- does not pass from a partitioned table to queries that name its partition.
tables AS (
  SELECT c.oid, c.relname::text AS name, c.relrowsecurity, c.relforcerowsecurity, c.relowner,
         a.attname AS tenant_column, a.attnum AS tenant_attnum, a.attnotnull
  FROM pg_catalog.pg_class c
  LEFT JOIN pg_catalog.pg_attribute a
    ON a.attrelid = c.oid AND NOT a.attisdropped
   AND a.attname = CASE c.relname WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END
  WHERE c.relnamespace = 'countersign'::regnamespace
    AND c.relkind IN ('r', 'p')
    AND c.relname <> '_sqlx_migrations'
),
-- The exact expression: with the sub-select it is evaluated once a statement, and NULLIF makes a
-- connection without a tenant see nothing instead of fail.
mine AS (
  SELECT t.oid, format(
    '(%I = ( SELECT (NULLIF(current_setting(''app.tenant_id''::text, true), ''''::text))::uuid AS "nullif"))',
    coalesce(t.tenant_column, 'tenant_id')) AS expression
  FROM tables t
),
secrets AS (
  SELECT s.name, s.held, s.column_name, t.oid, a.attnum
  FROM unnest($3::text[], $4::text[], $5::text[]) AS s (name, column_name, held)
  LEFT JOIN tables t ON t.name = s.name
  LEFT JOIN pg_catalog.pg_attribute a
    ON a.attrelid = t.oid AND a.attname = s.column_name AND NOT a.attisdropped
),
-- Whole-table and single-column grants alike.
grants AS (
  SELECT c.relname::text AS name, c.relkind, c.relowner, acl.grantee, acl.privilege_type,
         acl.is_grantable
  FROM pg_catalog.pg_class c, aclexplode(c.relacl) AS acl
  WHERE c.relnamespace = 'countersign'::regnamespace
  UNION
  SELECT c.relname::text, c.relkind, c.relowner, acl.grantee, acl.privilege_type, acl.is_grantable
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) AS acl
  WHERE c.relnamespace = 'countersign'::regnamespace
)
SELECT name AS object, 'has no tenant_id' AS fault
FROM tables WHERE tenant_attnum IS NULL
UNION ALL
SELECT name, 'its tenant_id may be null'
FROM tables WHERE NOT attnotnull
UNION ALL
SELECT name, 'row-level security is not enabled'
FROM tables WHERE NOT relrowsecurity
UNION ALL
SELECT name, 'row-level security is not forced on its owner'
FROM tables WHERE NOT relforcerowsecurity
UNION ALL
SELECT name, 'is not owned by countersign_owner'
FROM tables WHERE pg_get_userbyid(relowner) <> 'countersign_owner'
UNION ALL
SELECT t.name, 'has no restrictive tenant policy on the application'
FROM tables t
JOIN mine ON mine.oid = t.oid
WHERE NOT EXISTS (
  SELECT 1 FROM pg_catalog.pg_policy p, app
  WHERE p.polrelid = t.oid AND NOT p.polpermissive AND p.polcmd = '*'
    AND (app.oid = ANY (p.polroles) OR 0 = ANY (p.polroles))
    AND pg_get_expr(p.polqual, t.oid) = mine.expression
    AND pg_get_expr(p.polwithcheck, t.oid) = mine.expression)
UNION ALL
SELECT t.name, 'reports may read it past the tenant policy'
FROM tables t
JOIN pg_catalog.pg_policy open ON open.polrelid = t.oid AND open.polpermissive
JOIN report ON report.oid = ANY (open.polroles)
JOIN mine ON mine.oid = t.oid
WHERE NOT EXISTS (
  SELECT 1 FROM pg_catalog.pg_policy p
  WHERE p.polrelid = t.oid AND NOT p.polpermissive AND p.polcmd = '*'
    AND report.oid = ANY (p.polroles)
    AND pg_get_expr(p.polqual, t.oid) = mine.expression)
UNION ALL
SELECT t.name, 'policy ' || p.polname || ' is open to ' ||
       CASE open.to_role WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(open.to_role)::text END
FROM tables t
JOIN pg_catalog.pg_policy p ON p.polrelid = t.oid AND p.polpermissive
CROSS JOIN LATERAL unnest(p.polroles) AS open (to_role)
WHERE open.to_role NOT IN (SELECT oid FROM app)
  AND NOT (p.polcmd = 'r' AND open.to_role IN (SELECT oid FROM report))
  AND NOT EXISTS (
    SELECT 1 FROM across WHERE across.name = t.name AND across.role = open.to_role)
UNION ALL
SELECT t.name, 'has no primary key'
FROM tables t
WHERE NOT EXISTS (
  SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'p')
UNION ALL
-- The tenants' own short names are the one thing that is unique over all tenants.
SELECT t.name, 'unique index ' || i.indexrelid::regclass::text || ' does not start with tenant_id'
FROM tables t
JOIN pg_catalog.pg_index i ON i.indrelid = t.oid AND i.indisunique
WHERE i.indkey[0] IS DISTINCT FROM t.tenant_attnum
  AND NOT (t.name = 'tenants' AND NOT i.indisprimary)
UNION ALL
SELECT t.name, 'foreign key ' || k.conname || ' does not start with tenant_id'
FROM tables t
JOIN pg_catalog.pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f'
LEFT JOIN tables target ON target.oid = k.confrelid
WHERE k.conkey[1] IS DISTINCT FROM t.tenant_attnum
   OR k.confkey[1] IS DISTINCT FROM target.tenant_attnum
UNION ALL
SELECT name, privilege_type || ' is granted to ' ||
       CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text END
FROM grants
WHERE grantee <> relowner
  AND NOT (
    privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE')
    AND (grantee IN (SELECT oid FROM app)
         OR (privilege_type = 'SELECT' AND grantee IN (SELECT oid FROM report))
         OR EXISTS (SELECT 1 FROM across
                    WHERE across.name = grants.name AND across.role = grants.grantee)))
UNION ALL
SELECT name, column_name || ' is named as a secret and is not there'
FROM secrets WHERE attnum IS NULL
UNION ALL
SELECT s.name, 'the secret in ' || s.column_name || ' may be read by ' || reader.rolname
FROM secrets s
JOIN pg_catalog.pg_roles reader ON reader.rolname LIKE 'countersign\_%' AND NOT reader.rolsuper
WHERE reader.rolname NOT IN ('countersign_app', 'countersign_owner', s.held)
  AND has_column_privilege(reader.oid, s.oid, s.attnum, 'SELECT')
UNION ALL
SELECT name, 'may be written by ' || pg_get_userbyid(grantee)
FROM grants
WHERE name = '_sqlx_migrations' AND grantee <> relowner AND privilege_type <> 'SELECT'
UNION ALL
SELECT name, privilege_type || ' may be passed on by ' || pg_get_userbyid(grantee)
FROM grants
WHERE is_grantable AND grantee <> relowner
