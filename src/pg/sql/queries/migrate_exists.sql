-- Is this schema one of ours?
SELECT to_regclass('clickmatch_migrations') IS NOT NULL;
