-- One line: the version, and the settings that times depend on most.
SELECT format('PostgreSQL %s: ', current_setting('server_version'))
       || string_agg(format('%s = %s', name, current_setting(name)), ', ' ORDER BY position)
FROM unnest(ARRAY['shared_buffers', 'max_wal_size', 'fsync', 'full_page_writes',
                  'synchronous_commit']) WITH ORDINALITY AS s (name, position);
