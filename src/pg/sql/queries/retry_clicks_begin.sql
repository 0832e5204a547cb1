-- As long as anyone feeds in clicks, held by the session: a killed one holds nothing.
SELECT pg_advisory_lock_shared(hashtextextended('clickmatch retry ' || :'schema', 0));
