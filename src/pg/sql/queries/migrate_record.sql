INSERT INTO clickmatch_migrations (version, name, checksum)
VALUES (:'version'::integer, :'name', encode(sha256(convert_to(:'text', 'UTF8')), 'hex'));
