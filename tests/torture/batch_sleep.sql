-- Makes the short moments of `batch` and `migrate` long enough to be hit, for sessions that ask for
-- it: torture.copy (a row of the staging table in 50), torture.promote (a conversion in 100),
-- torture.commit and torture.define (each change of a definition), in milliseconds.
CREATE FUNCTION torture_sleep(moment TEXT) RETURNS VOID LANGUAGE sql AS $$
    SELECT pg_sleep(nullif(current_setting('torture.' || moment, true), '')::float / 1000)
$$;

CREATE FUNCTION torture_on_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_ARGV[0] <> 'copy' OR random() < 0.02 THEN
        PERFORM public.torture_sleep(TG_ARGV[0]);
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;

CREATE FUNCTION torture_on_definition() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
    made RECORD;
BEGIN
    PERFORM public.torture_sleep('define');
    IF coalesce(current_setting('torture.copy', true), '') = '' THEN
        RETURN;
    END IF;
    FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() LOOP
        IF made.command_tag = 'CREATE TABLE' AND made.object_identity ~ 'clickmatch_staging_' THEN
            EXECUTE format('CREATE TRIGGER torture BEFORE INSERT ON %s FOR EACH ROW
                            EXECUTE FUNCTION public.torture_on_row(''copy'')',
                           made.object_identity);
        END IF;
    END LOOP;
END
$$;
CREATE EVENT TRIGGER torture_on_definition ON ddl_command_end
    EXECUTE FUNCTION torture_on_definition();

DO $$
BEGIN
    IF to_regclass('attribution_recompute_jobs') IS NULL THEN
        RETURN;
    END IF;
    CREATE TRIGGER torture_promote BEFORE UPDATE ON conversion_tracking
        FOR EACH ROW WHEN (NEW.conversion_id LIKE '%77')
        EXECUTE FUNCTION torture_on_row('promote');
    CREATE CONSTRAINT TRIGGER torture_commit AFTER UPDATE ON attribution_recompute_jobs
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'succeeded')
        EXECUTE FUNCTION torture_on_row('commit');
END
$$;
