-- When the newest click was made, in microseconds since 1970; none that is dated in the future.
SELECT trunc(extract(epoch FROM max(click_timestamp)) * 1000000)::bigint
FROM click_tracking
WHERE click_timestamp <= now();
