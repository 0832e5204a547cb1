-- Batches did not wait for the disk: this does, for all of them.
BEGIN;
SET LOCAL synchronous_commit = on;
SELECT pg_logical_emit_message(true, 'clickmatch', 'purged');
COMMIT;
