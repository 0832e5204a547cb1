-- The next clicks that are old enough and expired, in the order of time. Nothing is locked.
SELECT k.id, k.click_timestamp
FROM click_tracking k
WHERE k.click_timestamp < :'before'::timestamptz
    AND (k.click_timestamp, k.id) > (:'after_time'::timestamptz, :'after_id'::uuid)
    AND (k.expires_at IS NULL
         OR least(k.expires_at, k.click_timestamp + INTERVAL '720 hours')
            <= :'expired_before'::timestamptz)
    AND (:'tenants'::text[] = '{}' OR k.tenant_id = ANY (:'tenants'::text[]))
ORDER BY k.click_timestamp, k.id
LIMIT :'page_rows'::bigint;
