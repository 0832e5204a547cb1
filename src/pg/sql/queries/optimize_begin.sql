-- After the jobs' own lock (job_clear.sql) no run of `batch` begins. Whoever waits for the table
-- makes all others wait, so that waiting is not long.
SET LOCAL lock_timeout = '10s';
SET LOCAL maintenance_work_mem = '256MB';
LOCK TABLE conversion_tracking;
