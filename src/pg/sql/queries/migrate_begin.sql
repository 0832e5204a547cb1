-- One migration of a schema at a time: the lock is held until the session ends. The schema and the
-- list of versions are created where they are missing.
SELECT pg_advisory_lock(hashtextextended('clickmatch migrate ' || :'schema', 0));
SELECT set_config('clickmatch.schema', :'schema', false);
DO $$
DECLARE
    mark CONSTANT TEXT := 'The tables were made by clickmatch migrate.';
    has_tables CONSTANT BOOLEAN := to_regclass('click_tracking') IS NOT NULL
        OR to_regclass('conversion_tracking') IS NOT NULL
        OR to_regclass('attribution_performance_log') IS NOT NULL;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_namespace
                   WHERE nspname = current_setting('clickmatch.schema')) THEN
        EXECUTE format('CREATE SCHEMA %I', current_setting('clickmatch.schema'));
    END IF;
    IF to_regclass('clickmatch_migrations') IS NULL THEN
        CREATE TABLE clickmatch_migrations (
            version INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            checksum TEXT NOT NULL, -- SHA-256 of the file, in hex
            applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
        );
    END IF;
    -- Is nobody at work here yet? Then tenants are kept apart from the start (007_tenants.sql).
    -- Also where the run that made the tables died, and this one goes on: the mark tells.
    IF NOT has_tables THEN
        EXECUTE format('COMMENT ON TABLE clickmatch_migrations IS %L', mark);
    END IF;
    PERFORM set_config('clickmatch.is_new', CASE
        WHEN NOT has_tables THEN 'true'
        WHEN obj_description('clickmatch_migrations'::regclass, 'pg_class') = mark
             AND EXISTS (SELECT FROM clickmatch_migrations WHERE version = 1) THEN 'true'
        ELSE 'false' END, false);
END
$$;
