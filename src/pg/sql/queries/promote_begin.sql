-- Room to join, keep and sort the changed rows of a run of this size in memory; others go to disk.
BEGIN;
SET LOCAL work_mem = '64MB';
