-- Tenants are kept apart by row-level security (docs/tenants.md). Policies are made here, on every
-- table with a tenant; roles and their rights, which may be missing for a while, in
-- queries/roles_settle.sql.
--
-- Row security is forced, so that it also holds for the owner: a later version that changes rows of
-- these tables must lift that for itself (ALTER TABLE ... NO FORCE ROW LEVEL SECURITY) and put it
-- back. On a database that was in use before, nobody who is no tenant's login is to notice, until
-- `migrate --enforce-tenants`.

-- Whose rows a login sees. One tenant may have several logins.
CREATE TABLE tenant_logins (
    login NAME PRIMARY KEY,
    tenant_id VARCHAR(255) NOT NULL CHECK (tenant_id <> ''),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- The session's tenant; NULL where there is none, which equals no row's. It is the login's own, by
-- the table, whoever runs the statement in its name: SET ROLE, views and functions of others change
-- nothing. What the session says of itself counts for those alone who may speak for all tenants. A
-- setting that was local to a transaction reads as '' after it.
CREATE FUNCTION clickmatch_current_tenant() RETURNS TEXT
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    RETURN coalesce(
        (SELECT l.tenant_id FROM tenant_logins l WHERE l.login = session_user),
        (SELECT nullif(current_setting('app.current_tenant_id', true), '')
         FROM pg_roles r
         WHERE r.rolname = 'clickmatch_reader' AND pg_has_role(session_user, r.oid, 'USAGE')));

-- Is the session a tenant's, or one of those that speak for tenants?
CREATE FUNCTION clickmatch_is_tenant_login() RETURNS BOOLEAN
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    RETURN EXISTS (SELECT FROM tenant_logins l WHERE l.login = session_user)
        OR EXISTS (SELECT FROM pg_roles r, pg_roles me
                   WHERE r.rolname IN ('clickmatch_tenant', 'clickmatch_reader')
                       AND me.rolname = session_user AND NOT me.rolsuper
                       AND pg_has_role(session_user, r.oid, 'USAGE'));

-- The tables, what of a row says whose it is, and whether the owner looks after it: the other rows
-- of a tenant are not the owner's, either.
DO $$
DECLARE
    is_new CONSTANT BOOLEAN := coalesce(current_setting('clickmatch.is_new', true), '') = 'true';
    t RECORD;
BEGIN
    FOR t IN
        SELECT v.relation, v.condition, v.is_owners, c.relowner,
               EXISTS (SELECT FROM aclexplode(c.relacl) x WHERE x.grantee <> c.relowner)
               OR EXISTS (SELECT FROM pg_attribute a, aclexplode(a.attacl) x
                          WHERE a.attrelid = c.oid AND x.grantee <> c.relowner)
               OR EXISTS (SELECT FROM pg_auth_members m
                          WHERE m.roleid IN ('pg_read_all_data'::regrole,
                                             'pg_write_all_data'::regrole)) AS is_shared
        FROM (VALUES
            ('click_tracking'::regclass, 'tenant_id = (SELECT clickmatch_current_tenant())', false),
            ('conversion_tracking', 'tenant_id = (SELECT clickmatch_current_tenant())', false),
            ('attribution_performance_log',
             'tenant_id = (SELECT clickmatch_current_tenant())', false),
            ('dead_events', 'tenant_id = (SELECT clickmatch_current_tenant())', false),
            ('attribution_recompute_jobs', -- those of one tenant alone: the others speak of others
             'tenant_ids = ARRAY[(SELECT clickmatch_current_tenant())]', true),
            ('tenants', 'tenant_id = (SELECT clickmatch_current_tenant())', true),
            ('tenant_logins', 'login = session_user', true) -- the function itself reads it
        ) AS v (relation, condition, is_owners)
        JOIN pg_class c ON c.oid = v.relation
    LOOP
        EXECUTE format('CREATE POLICY tenant_isolation_policy ON %s USING (%s)', t.relation,
                       t.condition);
        IF t.is_owners THEN
            EXECUTE format(
                'CREATE POLICY clickmatch_owner_policy ON %1$s USING ((SELECT pg_has_role('
                'c.relowner, ''USAGE'') FROM pg_class c WHERE c.oid = %1$L::regclass))',
                t.relation);
        END IF;
        IF is_new THEN
            EXECUTE format('ALTER TABLE %1$s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
                           t.relation);
            CONTINUE;
        END IF;
        EXECUTE format('CREATE POLICY clickmatch_adoption_policy ON %s '
                       'USING (NOT (SELECT clickmatch_is_tenant_login()))', t.relation);
        -- Under row security COPY FROM and pg_dump are refused, whatever policies allow. An owner
        -- does not notice where it is not forced; where others have rights, it waits.
        IF NOT t.is_shared THEN
            EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t.relation);
        END IF;
    END LOOP;
    -- Views that others may rely on go on showing what their owner sees.
    IF is_new THEN
        ALTER VIEW v_attribution_recovery_rate SET (security_invoker = true);
        ALTER VIEW v_active_clicks SET (security_invoker = true);
        ALTER VIEW v_conversion_attribution_summary SET (security_invoker = true);
        ALTER VIEW v_unattributed_conversions SET (security_invoker = true);
    END IF;
END
$$;
