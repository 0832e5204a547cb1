-- Who this session is, and which tables hide rows from it: 'superuser', 'bypassrls' or '' and a
-- list, which is empty where it sees and may write all rows.
--
-- Where row security holds for a login, it sees all rows by a policy that is true for all of them,
-- as the engine's own; a restrictive policy takes some away. Nothing here waits for a lock on the
-- tables, as pg_get_expr would.
SELECT CASE WHEN bool_or(r.rolsuper) THEN 'superuser' WHEN bool_or(r.rolbypassrls) THEN 'bypassrls'
            ELSE '' END,
       session_user,
       (SELECT coalesce(string_agg(c.relname, ', ' ORDER BY c.relname), '')
        FROM pg_class c
        WHERE c.oid IN ('click_tracking'::regclass, 'conversion_tracking'::regclass,
                        'attribution_performance_log'::regclass, 'dead_events'::regclass,
                        'attribution_recompute_jobs'::regclass)
            AND row_security_active(c.oid)
            AND (SELECT bool_or(p.polpermissive AND p.polcmd = '*' AND (
                                    p.polqual::text LIKE '{CONST :consttype 16 %:constvalue 1 [ 1 %'
                                    OR p.polname = 'clickmatch_adoption_policy'
                                       AND NOT clickmatch_is_tenant_login()))
                        AND bool_and(p.polpermissive)
                 FROM pg_policy p
                 WHERE p.polrelid = c.oid
                     AND EXISTS (SELECT FROM unnest(p.polroles) AS role
                                 WHERE role = 0 OR pg_has_role(role, 'USAGE'))) IS NOT TRUE)
FROM pg_roles r
WHERE r.rolname IN (session_user, current_user);
