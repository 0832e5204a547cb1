-- The version of the schema: the highest applied, 0 where there is none of ours.
SELECT coalesce(max(version), 0) FROM clickmatch_migrations;
