-- As long as anyone feeds in clicks, held by the session: a killed one holds nothing. What is due
-- is what is due now, however long the run takes and whoever else is at it.
SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US"+00"')
FROM pg_advisory_lock_shared(hashtextextended('clickmatch retry ' || :'schema', 0));
