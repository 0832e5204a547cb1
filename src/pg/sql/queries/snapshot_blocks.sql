-- A table's size, to cut it into parts. All rows of the snapshot lie within it.
SELECT pg_relation_size(:'table'::regclass) / current_setting('block_size')::bigint;
