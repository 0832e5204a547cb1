-- Columns that purging looks rows up by, and that no index begins with: each batch would read the
-- whole table. Those of foreign keys to the clicks, which each deleted click makes PostgreSQL look
-- up, and the times that it goes along.
WITH needed AS (
    SELECT conrelid AS relid, conkey[1] AS attnum
    FROM pg_constraint
    WHERE contype = 'f' AND confrelid = 'click_tracking'::regclass
    UNION
    SELECT attrelid, attnum
    FROM pg_attribute
    WHERE (attrelid, attname) IN (('conversion_tracking'::regclass, 'attributed_click_id'),
                                  ('conversion_tracking'::regclass, 'conversion_timestamp'),
                                  ('click_tracking'::regclass, 'click_timestamp'))
)
SELECT n.relid::regclass, quote_ident(a.attname)
FROM needed n
JOIN pg_attribute a ON a.attrelid = n.relid AND a.attnum = n.attnum
WHERE NOT EXISTS (
    SELECT FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am m ON m.oid = c.relam
    WHERE i.indrelid = n.relid AND i.indkey[0] = n.attnum AND m.amname = 'btree'
        AND i.indisvalid AND i.indisready
        AND (i.indpred IS NULL
             OR pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', a.attname)))
ORDER BY 1, 2
LIMIT 1;
