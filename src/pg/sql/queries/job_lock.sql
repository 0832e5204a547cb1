-- Held by the session: a killed run holds nothing.
SELECT pg_advisory_lock(hashtextextended('clickmatch job ' || :'job'::uuid, 0));
