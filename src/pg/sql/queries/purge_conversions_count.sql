-- What purge_conversions.sql would do.
SELECT 0, count(*), 0, 0
FROM conversion_tracking c
WHERE c.id = ANY (:'ids'::uuid[]);
