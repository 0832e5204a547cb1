-- Whoever changes the champion of a name does so alone, until the transaction ends.
SELECT pg_advisory_xact_lock(
    hashtextextended('clickmatch model ' || :'schema' || '.' || :'name', 0));
