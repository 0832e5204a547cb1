-- Roles, what they may, and the engine's policies: each that is missing is made. It runs at the end
-- of every `migrate`, as roles are the server's: they may be made later, or gone in a database that
-- was restored elsewhere. This is the one place that grants.
--
--   clickmatch_engine  batch, stream, explain, retry, purge: all tenants
--   clickmatch_tenant  a tenant's own logins, which tenant_logins lists: that tenant
--   clickmatch_reader  logins trusted to say whom they read for, by app.current_tenant_id
--
-- Roles and grants of two databases, or two schemas, may be settled at once.
SELECT pg_advisory_xact_lock(hashtextextended('clickmatch roles', 0));
DO $$
DECLARE
    role TEXT;
    g RECORD;
BEGIN
    -- Whoever does not own the tables has nothing to settle.
    IF NOT (SELECT bool_and(pg_has_role(relowner, 'USAGE')) FROM pg_class
            WHERE oid IN ('click_tracking'::regclass, 'tenant_logins'::regclass)) THEN
        RETURN;
    END IF;
    FOREACH role IN ARRAY ARRAY['clickmatch_engine', 'clickmatch_tenant', 'clickmatch_reader'] LOOP
        CONTINUE WHEN to_regrole(role) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        EXCEPTION
            WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
        END;
    END LOOP;
    FOR g IN
        SELECT rolname FROM pg_roles
        WHERE rolname IN ('clickmatch_engine', 'clickmatch_tenant', 'clickmatch_reader')
            AND (rolsuper OR rolbypassrls OR rolcreaterole)
    LOOP
        RAISE EXCEPTION '% has SUPERUSER, BYPASSRLS or CREATEROLE, which undo row security',
            g.rolname
            USING HINT = format('ALTER ROLE %s NOSUPERUSER NOBYPASSRLS NOCREATEROLE; then run it '
                                'again', g.rolname);
    END LOOP;
    FOR g IN
        SELECT format('CREATE POLICY clickmatch_engine_policy ON %s TO clickmatch_engine '
                      'USING (true)', p.polrelid::regclass) AS statement
        FROM pg_policy p
        WHERE p.polname = 'tenant_isolation_policy'
            AND p.polrelid IN ('click_tracking'::regclass, 'conversion_tracking'::regclass,
                               'attribution_performance_log'::regclass, 'dead_events'::regclass,
                               'attribution_recompute_jobs'::regclass)
            AND to_regrole('clickmatch_engine') IS NOT NULL
            AND NOT EXISTS (SELECT FROM pg_policy e
                            WHERE e.polrelid = p.polrelid
                                AND e.polname = 'clickmatch_engine_policy')
        UNION ALL
        SELECT format('GRANT %s ON %s TO %I', privilege, c.oid::regclass, r.rolname)
        FROM (VALUES
            ('clickmatch_engine', 'clickmatch_migrations', 'SELECT'),
            ('clickmatch_engine', 'click_tracking', 'SELECT, INSERT, UPDATE, DELETE'),
            ('clickmatch_engine', 'conversion_tracking', 'SELECT, INSERT, UPDATE'),
            ('clickmatch_engine', 'attribution_performance_log', 'SELECT, INSERT'),
            ('clickmatch_engine', 'attribution_recompute_jobs', 'SELECT, INSERT, UPDATE'),
            ('clickmatch_engine', 'dead_events', 'SELECT, INSERT, UPDATE, DELETE'),
            ('clickmatch_engine', 'stream_positions', 'SELECT, INSERT, UPDATE'),
            ('clickmatch_engine', 'model_registry', 'SELECT'),
            ('clickmatch_tenant clickmatch_reader', 'click_tracking', 'SELECT'),
            ('clickmatch_tenant clickmatch_reader', 'conversion_tracking', 'SELECT'),
            ('clickmatch_tenant clickmatch_reader', 'attribution_performance_log', 'SELECT'),
            ('clickmatch_tenant clickmatch_reader', 'dead_events', 'SELECT'),
            ('clickmatch_tenant clickmatch_reader', 'attribution_recompute_jobs', 'SELECT'),
            ('clickmatch_tenant clickmatch_reader', 'v_attribution_recovery_rate', 'SELECT'),
            ('clickmatch_tenant clickmatch_reader', 'v_active_clicks', 'SELECT'),
            ('clickmatch_tenant clickmatch_reader', 'v_conversion_attribution_summary', 'SELECT'),
            ('clickmatch_tenant clickmatch_reader', 'v_unattributed_conversions', 'SELECT')
        ) AS l (roles, relation, privileges),
        regexp_split_to_table(l.privileges, ', ') AS privilege,
        pg_roles r, pg_class c
        WHERE r.rolname = ANY (string_to_array(l.roles, ' ')) AND c.oid = to_regclass(l.relation)
            AND NOT has_table_privilege(r.oid, c.oid, privilege)
            -- Nothing to tenants where nothing would keep them apart.
            AND (r.rolname = 'clickmatch_engine' OR c.relrowsecurity
                 OR EXISTS (SELECT FROM pg_options_to_table(c.reloptions)
                            WHERE option_name = 'security_invoker' AND option_value::boolean))
        UNION ALL
        SELECT format('GRANT SELECT (tenant_id, name, notification_email, is_active, created_at) '
                      'ON tenants TO %I', r.rolname) -- not the hash of their key
        FROM pg_roles r
        WHERE r.rolname IN ('clickmatch_tenant', 'clickmatch_reader')
            AND (SELECT relrowsecurity FROM pg_class WHERE oid = 'tenants'::regclass)
            AND NOT has_column_privilege(r.oid, 'tenants', 'tenant_id', 'SELECT')
        UNION ALL
        SELECT format('GRANT %s ON SCHEMA %I TO %I', l.privilege, current_schema(), r.rolname)
        FROM (VALUES ('clickmatch_engine', 'USAGE'), ('clickmatch_engine', 'CREATE'), -- staging
                     ('clickmatch_tenant', 'USAGE'), ('clickmatch_reader', 'USAGE')
        ) AS l (role, privilege)
        JOIN pg_roles r ON r.rolname = l.role
        WHERE NOT has_schema_privilege(r.oid, current_schema(), l.privilege)
        UNION ALL
        SELECT format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), r.rolname)
        FROM pg_roles r
        WHERE r.rolname = 'clickmatch_engine'
            AND NOT has_database_privilege(r.oid, current_database(), 'TEMPORARY')
    LOOP
        EXECUTE g.statement;
    END LOOP;
END
$$;
