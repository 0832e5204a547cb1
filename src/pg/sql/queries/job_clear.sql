-- Runs register one at a time: the first lock is held until the transaction ends. A run holds a
-- lock on its job as long as its session lives; a job that runs by its row, but whose lock is free,
-- is dead. So is a staging table whose job's lock is free; one that belongs to a role which is not
-- ours stays until that role's next run, and is in nobody's way, as its name bears its run. A
-- session that was dropping its own may do so until the moment before its lock is free.
SELECT pg_advisory_xact_lock(hashtextextended('clickmatch jobs ' || :'schema', 0));
UPDATE attribution_recompute_jobs
SET status = 'failed', finished_at = now(),
    error = 'the run ended without a word: killed, or its connection was lost'
WHERE CASE WHEN status = 'running'
           THEN pg_try_advisory_xact_lock(hashtextextended('clickmatch job ' || id, 0)) END;
DO $$
DECLARE
    leftover NAME;
BEGIN
    FOR leftover IN
        SELECT relname FROM pg_class
        WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
            AND relkind = 'r' AND relname ~ '^clickmatch_staging_[0-9a-f]{32}(_\d+)?$'
            AND pg_has_role(relowner, 'USAGE')
    LOOP
        IF pg_try_advisory_xact_lock(hashtextextended(
            'clickmatch job ' || substr(leftover, 20, 32)::uuid, 0)) THEN
            EXECUTE format('DROP TABLE IF EXISTS %I', leftover);
        END IF;
    END LOOP;
END
$$;
