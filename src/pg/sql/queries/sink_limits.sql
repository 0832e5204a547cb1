-- How many characters the tables' columns take, where there is a limit.
SELECT c.relname, a.attname, a.atttypmod - 4
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.oid IN ('click_tracking'::regclass, 'conversion_tracking'::regclass)
    AND a.atttypid IN ('varchar'::regtype, 'bpchar'::regtype) AND a.atttypmod > 4
    AND NOT a.attisdropped;
