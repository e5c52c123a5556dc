-- What every role but the application's and the owner's may do, a line a right. A right on a
-- partition counts as one on its table: months come and go.
WITH named AS (
  SELECT c.oid, c.relacl, n.nspname || '.' || coalesce(whole.relname, c.relname) AS name
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
  LEFT JOIN pg_catalog.pg_class whole ON whole.oid = i.inhparent
  WHERE n.nspname = 'countersign' OR n.nspname LIKE 'lens\_%'
),
held AS (
  SELECT acl.grantee, name, acl.privilege_type AS may, '' AS of_column
  FROM named, aclexplode(named.relacl) AS acl
  UNION
  SELECT acl.grantee, name, acl.privilege_type, a.attname::text
  FROM named
  JOIN pg_catalog.pg_attribute a ON a.attrelid = named.oid AND NOT a.attisdropped,
       aclexplode(a.attacl) AS acl
  UNION
  SELECT acl.grantee, 'function ' || p.oid::regprocedure::text, acl.privilege_type, ''
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace,
       aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS acl
  WHERE (n.nspname = 'countersign' OR n.nspname LIKE 'lens\_%') AND acl.grantee <> p.proowner
  UNION
  SELECT acl.grantee, 'schema ' || n.nspname, acl.privilege_type, ''
  FROM pg_catalog.pg_namespace n, aclexplode(n.nspacl) AS acl
  WHERE n.nspname = 'countersign' OR n.nspname LIKE 'lens\_%'
  UNION
  SELECT m.member, 'role ' || pg_get_userbyid(m.roleid), 'MEMBER', ''
  FROM pg_catalog.pg_auth_members m
  WHERE pg_get_userbyid(m.member) LIKE 'countersign\_%'
)
SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text END || ': ' ||
       may || ' ' || name ||
       coalesce(' (' || string_agg(NULLIF(of_column, ''), ', ' ORDER BY of_column) || ')', '')
FROM held
WHERE pg_get_userbyid(grantee) NOT IN ('countersign_app', 'countersign_owner')
  AND grantee <> (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)
-- A right on the whole of it is a line of its own, beside one on some of its columns.
GROUP BY grantee, may, name, of_column = ''
UNION ALL
SELECT pg_get_userbyid(open.role)::text || ': policy ' || p.polname || ' on ' ||
       n.nspname || '.' || c.relname || ' for ' || p.polcmd::text ||
       ' using ' || coalesce(pg_get_expr(p.polqual, c.oid), '-') ||
       ' check ' || coalesce(pg_get_expr(p.polwithcheck, c.oid), '-')
FROM pg_catalog.pg_policy p
JOIN pg_catalog.pg_class c ON c.oid = p.polrelid AND NOT c.relispartition
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL unnest(p.polroles) AS open (role)
WHERE p.polpermissive
  AND (open.role = 0 OR pg_get_userbyid(open.role) NOT IN ('countersign_app', 'countersign_report'))
ORDER BY 1
