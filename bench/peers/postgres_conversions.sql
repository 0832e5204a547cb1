-- The table as the platform has it, but for ids that cost half, and what clickmatch adds of the
-- columns that conversions.csv has. Indexes: postgres_indexes.sql.
CREATE TABLE conversion_tracking (LIKE found.conversion_tracking INCLUDING DEFAULTS);
ALTER TABLE conversion_tracking
    ALTER COLUMN id SET DEFAULT gen_random_uuid(),
    ADD COLUMN click_id VARCHAR(255),
    ADD COLUMN fbclid VARCHAR(255),
    ADD COLUMN gclid VARCHAR(255),
    ADD COLUMN os VARCHAR(50),
    ADD COLUMN browser VARCHAR(50),
    ADD COLUMN screen_width INTEGER,
    ADD COLUMN screen_height INTEGER,
    ADD COLUMN timezone VARCHAR(100),
    ADD COLUMN timezone_offset INTEGER;
