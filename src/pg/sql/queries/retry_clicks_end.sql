-- Conversions are matched when all have fed in theirs.
SELECT pg_advisory_unlock_shared(hashtextextended('clickmatch retry ' || :'schema', 0));
SELECT pg_advisory_lock(hashtextextended('clickmatch retry ' || :'schema', 0));
SELECT pg_advisory_unlock(hashtextextended('clickmatch retry ' || :'schema', 0));
