-- What purge_dead.sql would do.
SELECT count(*), 0, 0,
       count(*) FILTER (WHERE d.remediation_status IN ('pending', 'in_progress'))
FROM dead_events d
WHERE d.id = ANY (:'ids'::uuid[]);
