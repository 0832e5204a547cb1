-- The next conversions that are old enough and hold personal data, in the order of time. Nothing is
-- locked.
SELECT c.id, c.conversion_timestamp
FROM conversion_tracking c
WHERE c.conversion_timestamp < :'before'::timestamptz
    AND (c.conversion_timestamp, c.id) > (:'after_time'::timestamptz, :'after_id'::uuid)
    AND (:'tenants'::text[] = '{}' OR c.tenant_id = ANY (:'tenants'::text[]))
    AND (num_nonnulls(c.ip_address, c.user_agent, c.conversion_fingerprint_hash, c.fbclid, c.gclid,
                      c.screen_width, c.screen_height, c.timezone, c.timezone_offset) > 0
         OR jsonb_typeof(c.raw_data) = 'object' AND c.raw_data ?| ARRAY[
             'ip_address', 'user_agent', 'fingerprint_hash', 'conversion_fingerprint_hash',
             'fbclid', 'gclid'])
ORDER BY c.conversion_timestamp, c.id
LIMIT :'page_rows'::bigint;
