-- Some dead events: all of such a row is the personal data of somebody.
BEGIN;
SET LOCAL synchronous_commit = off;
SET LOCAL statement_timeout = :'timeout_ms';
SELECT set_config('clickmatch.due', coalesce(array_agg(due.id), '{}')::text, true),
       set_config('statement_timeout', greatest(1, ceil(:'timeout_ms' - 1000 * extract(
           epoch FROM clock_timestamp() - now())))::text, true)
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
SELECT set_config('clickmatch.took_us', trunc(1000000 * extract(
           epoch FROM clock_timestamp() - now()))::text, false),
       set_config('statement_timeout', '0', true);
COMMIT;
SELECT current_setting('clickmatch.deleted'), 0, current_setting('clickmatch.took_us'),
       current_setting('clickmatch.unresolved');
