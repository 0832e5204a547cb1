-- What is left to do about roles, rights and row security: a line each.
SELECT format('role %s is missing, and this login may not create it; have it made (CREATE ROLE %s '
              'NOLOGIN), then run migrate again', role, role)
FROM unnest(ARRAY['clickmatch_engine', 'clickmatch_tenant', 'clickmatch_reader']) AS role
WHERE to_regrole(role) IS NULL
UNION ALL
SELECT 'logins that are no tenant''s see all tenants, as before; '
       'migrate --enforce-tenants ends that'
WHERE EXISTS (SELECT FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
              WHERE p.polname = 'clickmatch_adoption_policy'
                  AND c.relnamespace = (SELECT oid FROM pg_namespace
                                        WHERE nspname = current_schema()))
UNION ALL
SELECT format('row security of %s is off, as others than its owner have rights there; tenants'' '
              'logins get none until migrate --enforce-tenants',
              string_agg(c.relname, ', ' ORDER BY c.relname))
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
WHERE p.polname = 'tenant_isolation_policy' AND NOT c.relrowsecurity
    AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
HAVING count(*) > 0
UNION ALL
SELECT format('role clickmatch_engine may not make its staging table; have the owner of the schema '
              'say GRANT CREATE ON SCHEMA %1$I TO clickmatch_engine', current_schema())
FROM pg_roles r
WHERE r.rolname = 'clickmatch_engine'
    AND NOT has_schema_privilege(r.oid, current_schema(), 'CREATE')
UNION ALL
SELECT format('role clickmatch_engine may not make temporary tables, which streams need; have the '
              'owner of the database say GRANT TEMPORARY ON DATABASE %1$I TO clickmatch_engine',
              current_database())
FROM pg_roles r
WHERE r.rolname = 'clickmatch_engine'
    AND NOT has_database_privilege(r.oid, current_database(), 'TEMPORARY')
UNION ALL
-- A function for just the arguments of a call is taken before one of PostgreSQL's own.
SELECT format('%s may create functions in schema %I, which would run with the rights of whoever '
              'works there; say REVOKE CREATE ON SCHEMA %2$I FROM %1$s', x.name, current_schema())
FROM (SELECT DISTINCT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE r.rolname END AS name
      FROM pg_namespace n
      CROSS JOIN aclexplode(n.nspacl) AS a
      LEFT JOIN pg_roles r ON r.oid = a.grantee
      WHERE n.nspname = current_schema() AND a.privilege_type = 'CREATE'
          AND (a.grantee = 0 OR r.rolname IN ('clickmatch_tenant', 'clickmatch_reader'))) AS x;
