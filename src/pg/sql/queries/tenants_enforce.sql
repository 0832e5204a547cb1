-- Nobody sees other rows than his tenant's, and the engine all: what a database adopted as found
-- put off. Doing it again does nothing. Whoever waits for a table makes all others wait, so that
-- waiting is not long.
SET LOCAL lock_timeout = '10s';
DO $$
DECLARE
    found RECORD;
BEGIN
    -- In the order in which engine and platform lock them, so that nobody is a deadlock's victim.
    IF EXISTS (SELECT FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
               WHERE p.polname IN ('tenant_isolation_policy', 'clickmatch_adoption_policy')
                   AND c.relnamespace = current_schema()::regnamespace
                   AND (p.polname = 'clickmatch_adoption_policy'
                        OR NOT (c.relrowsecurity AND c.relforcerowsecurity))) THEN
        LOCK TABLE click_tracking, conversion_tracking, attribution_performance_log, dead_events,
            attribution_recompute_jobs, tenants, tenant_logins;
    END IF;
    FOR found IN
        SELECT c.oid::regclass AS relation, c.relrowsecurity AND c.relforcerowsecurity AS is_forced,
               EXISTS (SELECT FROM pg_policy a WHERE a.polrelid = c.oid
                       AND a.polname = 'clickmatch_adoption_policy') AS is_adopted
        FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
        WHERE p.polname = 'tenant_isolation_policy'
            AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
        ORDER BY c.relname
    LOOP
        IF found.is_adopted THEN
            EXECUTE format('DROP POLICY clickmatch_adoption_policy ON %s', found.relation);
        END IF;
        IF NOT found.is_forced THEN
            EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
                           found.relation);
        END IF;
    END LOOP;
    FOR found IN
        SELECT c.oid::regclass AS relation
        FROM pg_class c
        WHERE c.relkind = 'v'
            AND c.oid IN (to_regclass('v_attribution_recovery_rate'),
                          to_regclass('v_active_clicks'),
                          to_regclass('v_conversion_attribution_summary'),
                          to_regclass('v_unattributed_conversions'))
            AND NOT EXISTS (SELECT FROM pg_options_to_table(c.reloptions)
                            WHERE option_name = 'security_invoker' AND option_value::boolean)
    LOOP
        EXECUTE format('ALTER VIEW %s SET (security_invoker = true)', found.relation);
    END LOOP;
END
$$;
