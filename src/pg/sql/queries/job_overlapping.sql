-- A live run whose period overlaps this one's. Whose tenants they are does not matter.
SELECT id, to_char(window_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
       to_char(window_end AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
       coalesce(started_by, 'unknown')
FROM attribution_recompute_jobs
WHERE status = 'running' AND window_start < :'to'::timestamptz AND window_end > :'from'::timestamptz
ORDER BY started_at
LIMIT 1;
