-- Each look-up goes by index, whatever a table's statistics say: those of the foreign key's check,
-- too. Times are read again as they were written.
SET enable_seqscan = off;
SET DateStyle = 'ISO';
SET TimeZone = 'UTC';
