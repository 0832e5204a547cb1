UPDATE attribution_recompute_jobs
SET status = 'succeeded', finished_at = clock_timestamp(),
    clicks_read = :'clicks_read'::bigint,
    conversions_read = :'conversions_read'::bigint,
    rows_rejected = :'rows_rejected'::bigint,
    conversions_attributed = :'conversions_attributed'::bigint,
    conversions_changed = :'conversions_changed'::bigint,
    clicks_vanished = :'clicks_vanished'::bigint
WHERE id = :'job'::uuid;
