-- What `migrate --enforce-tenants` takes from whom, and what it cannot keep apart: a line each.
WITH RECURSIVE kept AS (
    SELECT c.*
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    WHERE p.polname = 'clickmatch_adoption_policy'
        AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
),
rights AS (
    SELECT relname, relowner AS role FROM kept
    UNION
    SELECT relname, (aclexplode(relacl)).grantee FROM kept
    UNION
    SELECT k.relname, (aclexplode(a.attacl)).grantee
    FROM kept k JOIN pg_attribute a ON a.attrelid = k.oid
),
-- Views over the tables, and over such views.
shown AS (
    SELECT oid, relname, relowner, relkind, relacl, reloptions
    FROM pg_class
    WHERE oid IN (SELECT polrelid FROM pg_policy WHERE polname = 'tenant_isolation_policy')
        AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
    UNION
    SELECT v.oid, v.relname, v.relowner, v.relkind, v.relacl, v.reloptions
    FROM shown s
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = s.oid
        AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite w ON w.oid = d.objid
    JOIN pg_class v ON v.oid = w.ev_class AND v.relkind IN ('v', 'm') AND v.oid <> s.oid
)
SELECT format('%s sees and writes only its own tenant''s rows from now on, if tenant_logins gives '
              'it one, and may not COPY FROM or dump: %s',
              CASE WHEN r.role = 0 THEN 'whoever is no clickmatch role (PUBLIC)'
                   ELSE r.role::regrole::text END,
              string_agg(r.relname, ', ' ORDER BY r.relname))
FROM rights r
LEFT JOIN pg_roles o ON o.oid = r.role
WHERE (o.oid IS NULL OR NOT o.rolsuper AND NOT o.rolbypassrls)
    AND coalesce(o.rolname, '') NOT IN ('clickmatch_engine', 'clickmatch_tenant',
                                        'clickmatch_reader')
GROUP BY r.role
UNION ALL
SELECT DISTINCT format('%s %s goes on showing all tenants to those who may read it: %s',
              CASE v.relkind WHEN 'm' THEN 'the materialized view' ELSE 'the view' END, v.relname,
              CASE v.relkind WHEN 'm' THEN 'it has rows of its own; take their rights away'
                   ELSE format('its owner %s is above row security; ALTER VIEW %s SET '
                               '(security_invoker = true), or give it another owner',
                               o.rolname, v.oid::regclass) END)
FROM shown v
JOIN pg_roles o ON o.oid = v.relowner
WHERE v.relkind IN ('v', 'm')
    AND EXISTS (SELECT FROM aclexplode(v.relacl) a WHERE a.grantee <> v.relowner)
    AND v.relname NOT IN ('v_attribution_recovery_rate', 'v_active_clicks',
                          'v_conversion_attribution_summary', 'v_unattributed_conversions')
    AND (v.relkind = 'm'
         OR (o.rolsuper OR o.rolbypassrls)
            AND NOT EXISTS (SELECT FROM pg_options_to_table(v.reloptions)
                            WHERE option_name = 'security_invoker' AND option_value::boolean))
ORDER BY 1;
