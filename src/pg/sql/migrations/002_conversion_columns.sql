-- What a conversion carried, in columns of its own, and what the matcher says beyond the columns
-- found. None has a default, so that no table is rewritten.

ALTER TABLE conversion_tracking
    ADD COLUMN IF NOT EXISTS click_id VARCHAR(255), -- as carried; the match is attributed_click_id
    ADD COLUMN IF NOT EXISTS fbclid VARCHAR(255),
    ADD COLUMN IF NOT EXISTS gclid VARCHAR(255),
    ADD COLUMN IF NOT EXISTS os VARCHAR(50),
    ADD COLUMN IF NOT EXISTS browser VARCHAR(50),
    ADD COLUMN IF NOT EXISTS screen_width INTEGER,
    ADD COLUMN IF NOT EXISTS screen_height INTEGER,
    ADD COLUMN IF NOT EXISTS timezone VARCHAR(100),
    ADD COLUMN IF NOT EXISTS timezone_offset INTEGER, -- minutes
    ADD COLUMN IF NOT EXISTS match_probability NUMERIC(7,6),
    ADD COLUMN IF NOT EXISTS attribution_model TEXT; -- name@version

-- A column that was here before must be the one meant.
DO $$
DECLARE
    faults TEXT;
BEGIN
    SELECT string_agg(format('conversion_tracking.%s is %s, not %s', e.column_name,
                             format_type(a.atttypid, a.atttypmod), e.type_name), ', ')
    INTO faults
    FROM (VALUES
        ('click_id', 'character varying(255)'),
        ('fbclid', 'character varying(255)'),
        ('gclid', 'character varying(255)'),
        ('os', 'character varying(50)'),
        ('browser', 'character varying(50)'),
        ('screen_width', 'integer'),
        ('screen_height', 'integer'),
        ('timezone', 'character varying(100)'),
        ('timezone_offset', 'integer'),
        ('match_probability', 'numeric(7,6)'),
        ('attribution_model', 'text')
    ) AS e (column_name, type_name)
    JOIN pg_attribute a ON a.attrelid = to_regclass('conversion_tracking')
        AND a.attname = e.column_name AND NOT a.attisdropped
    WHERE format_type(a.atttypid, a.atttypmod) <> e.type_name;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'the columns found differ: %', faults
            USING HINT = 'change those columns, or give another --schema';
    END IF;
END
$$;

-- The number of a conversion's earlier attempts, without reading the whole log.
CREATE INDEX IF NOT EXISTS idx_attribution_perf_conversion
    ON attribution_performance_log (conversion_id, tenant_id);
