-- A row where this version was applied from a file other than the program's.
SELECT m.name
FROM clickmatch_migrations m
WHERE m.version = :'version'::integer
    AND m.checksum <> encode(sha256(convert_to(:'text', 'UTF8')), 'hex');
