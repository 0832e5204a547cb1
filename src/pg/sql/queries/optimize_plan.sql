-- What would make the updates of `batch` cheap, in the order in which it is done: one row each.
--
--   is_kept    nothing is done: says why not
--   says       to people
--   statement, undo
--
-- An update is HOT, and enters no index anew, where no indexed column changes (expressions and the
-- conditions of partial indexes count) and the new row fits into the page of the old one. So the
-- indexes over columns that `batch` writes go, unless queries have used them or they are not ours
-- to judge; and pages are filled to 40 %: then 98 % of a first run's updates of simulated rows are
-- HOT, at 45 % it is 89 %, at 50 % it is 74 %. Deleting a click looks for conversions that refer to
-- it by the index over attributed_click_id: it stays where clicks have been deleted.
WITH written AS (
    SELECT attrelid, attnum
    FROM pg_attribute
    WHERE attrelid = 'conversion_tracking'::regclass
        AND attname IN ('attributed_click_id', 'attribution_method', 'attribution_confidence',
                        'attribution_window_hours', 'fingerprint_match_score',
                        'probabilistic_candidates', 'match_probability', 'attribution_model',
                        'attributed_at', 'updated_at')
),
all_indexes AS (
    SELECT i.indexrelid, i.indrelid, c.relname AS name, pg_relation_size(c.oid) AS bytes,
           pg_get_indexdef(c.oid) AS definition,
           i.indisunique OR EXISTS (SELECT FROM pg_constraint WHERE conindid = c.oid) AS is_needed,
           EXISTS (SELECT FROM written w
                   WHERE w.attrelid = i.indrelid
                       AND (w.attnum = ANY (i.indkey)
                            OR EXISTS (SELECT FROM pg_depend d
                                       WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                                           AND d.refclassid = 'pg_class'::regclass
                                           AND d.refobjid = w.attrelid
                                           AND d.refobjsubid = w.attnum))) AS is_written,
           EXISTS (SELECT FROM pg_index u
                   WHERE u.indrelid = i.indrelid AND u.indexrelid <> i.indexrelid
                       AND u.indisunique AND u.indisvalid
                       AND u.indkey::text = i.indkey::text
                       AND u.indclass::text = i.indclass::text
                       AND u.indcollation::text = i.indcollation::text
                       AND u.indoption::text = i.indoption::text
                       AND u.indexprs IS NULL AND i.indexprs IS NULL
                       AND u.indpred IS NULL AND i.indpred IS NULL) AS is_duplicate,
           coalesce(pg_stat_get_numscans(c.oid), 0) AS scans,
           CASE WHEN c.relname = 'idx_conversion_tracking_click_id'
                THEN pg_stat_get_tuples_deleted('click_tracking'::regclass) ELSE 0
           END AS clicks_deleted
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid IN ('conversion_tracking'::regclass, 'click_tracking'::regclass,
                         'attribution_performance_log'::regclass)
),
judged AS (
    SELECT *,
           CASE
               WHEN is_needed THEN 'stays'
               WHEN is_duplicate
                    AND name IN ('idx_conversion_tracking_conversion_id',
                                 'idx_click_tracking_click_id') THEN 'double'
               WHEN name NOT IN ('idx_conversion_tracking_method',
                                 'idx_conversion_tracking_click_id',
                                 'idx_attribution_perf_success') THEN 'stays'
               WHEN scans = 0 AND clicks_deleted = 0 THEN 'unused'
               ELSE 'used'
           END AS verdict
    FROM all_indexes
),
heap AS (
    SELECT format('%I.%I', n.nspname, c.relname) AS name,
           pg_table_size(c.oid) + pg_indexes_size(c.oid) AS bytes,
           substring(array_to_string(c.reloptions, ',') FROM 'fillfactor=(\d+)') AS fillfactor
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = 'conversion_tracking'::regclass
),
steps AS (
    SELECT CASE WHEN indrelid = 'conversion_tracking'::regclass THEN 1 ELSE 3 END AS place, name,
           false AS is_kept,
           format('drop the index %s (%s): %s', name, pg_size_pretty(bytes),
                  CASE verdict
                      WHEN 'double' THEN 'the unique one over the same column does its work'
                      ELSE 'no query has used it since statistics began'
                           || CASE WHEN name = 'idx_conversion_tracking_click_id'
                                   THEN '; without it, deleting a click reads all conversions: '
                                        || 'bring it back before deleting clicks' ELSE '' END
                  END) AS says,
           format('DROP INDEX %s', indexrelid::regclass) AS statement,
           definition AS undo
    FROM judged
    WHERE verdict IN ('double', 'unused')
    UNION ALL
    SELECT 0, name, true,
           format('the index %s stays: %s; while it is there, each update enters all indexes '
                  'anew', name,
                  CASE WHEN scans > 0 THEN format('queries have used it %s times', scans)
                             WHEN clicks_deleted > 0
                             THEN format('%s clicks have been deleted', clicks_deleted)
                             ELSE 'it is not among those known to be unused' END),
           '', ''
    FROM judged
    WHERE is_written AND verdict NOT IN ('double', 'unused')
    UNION ALL
    SELECT 2, '', false,
           format('rewrite conversion_tracking (%s with its indexes) at a fillfactor of 40, which '
                  'locks it for about %s s and needs four times that space meanwhile',
                  pg_size_pretty(bytes), bytes / 50000000 + 1),
           format('ALTER TABLE %1$s SET (fillfactor = 40); '
                  'CLUSTER %1$s USING idx_conversion_tracking_timestamp; '
                  'ALTER TABLE %1$s SET WITHOUT CLUSTER', name),
           format('ALTER TABLE %1$s %2$s; VACUUM FULL %1$s', name,
                  CASE WHEN fillfactor IS NULL THEN 'RESET (fillfactor)'
                       ELSE format('SET (fillfactor = %s)', fillfactor) END)
    FROM heap
    WHERE coalesce(fillfactor::integer, 100) > 40
        AND NOT EXISTS (SELECT FROM judged
                        WHERE is_written AND verdict NOT IN ('double', 'unused'))
)
SELECT is_kept, says, statement, undo
FROM steps
ORDER BY place, name;
