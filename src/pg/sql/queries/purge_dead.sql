-- Some dead events: all of such a row is the personal data of somebody.
BEGIN;
SET LOCAL synchronous_commit = off;
SET LOCAL statement_timeout = :'timeout_ms';
SELECT set_config('clickmatch.due', coalesce(array_agg(due.id), '{}')::text, true)
FROM (
    SELECT d.id
    FROM dead_events d
    WHERE d.id = ANY (:'ids'::uuid[]) AND d.created_at < :'before'::timestamptz
    FOR UPDATE SKIP LOCKED
) AS due;
WITH gone AS (
    DELETE FROM dead_events d
    WHERE d.id = ANY (current_setting('clickmatch.due')::uuid[])
    RETURNING d.remediation_status
)
SELECT set_config('clickmatch.deleted', count(*)::text, false),
       set_config('clickmatch.unresolved', count(*) FILTER (
           WHERE remediation_status IN ('pending', 'in_progress'))::text, false)
FROM gone;
SELECT set_config('clickmatch.took_us', trunc(extract(epoch FROM clock_timestamp() - now())
                                              * 1000000)::text, false);
COMMIT;
SELECT current_setting('clickmatch.deleted'), 0, current_setting('clickmatch.took_us'),
       current_setting('clickmatch.unresolved');
