-- Who has a conversion of an id, and when it was, in microseconds since 1970.
SELECT tenant_id,
       CASE WHEN isfinite(conversion_timestamp)
            THEN (extract(epoch FROM conversion_timestamp) * 1000000)::bigint END
FROM conversion_tracking
WHERE conversion_id = :'conversion' AND (:'tenant' = '' OR tenant_id = :'tenant')
ORDER BY tenant_id
LIMIT 2;
