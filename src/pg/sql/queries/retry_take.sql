-- Dead events to be fed in again, in the order in which they came: what is due, or what was named
-- whatever it has behind it. Others' are passed over. No more of them than fit into memory: a line
-- that is too long stays here, and says so.
SELECT d.id, to_char(d.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US"+00"'),
       d.tenant_id, d.source, d.event_type,
       CASE WHEN octet_length(d.payload ->> 'id') <= 36 THEN d.payload ->> 'id' END,
       coalesce(octet_length(l.line) > :'line_bytes'::integer, false),
       CASE WHEN octet_length(l.line) <= :'line_bytes'::integer THEN l.line END
FROM (
    SELECT c.id, coalesce(sum(least(octet_length(c.payload::text), :'line_bytes'::integer)) OVER (
               ORDER BY c.created_at, c.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
               AS bytes_before
    FROM (
        SELECT e.id, e.created_at, e.payload
        FROM dead_events e
        -- Of unknown ones the last turn takes again what turned out to be a conversion.
        WHERE CASE e.event_type WHEN 'click' THEN :'turn'::integer = 0
                                WHEN 'conversion' THEN :'turn'::integer = 2
                                ELSE :'turn'::integer >= 1 END
            AND (e.last_retry_at IS NULL OR e.last_retry_at <= :'as_of'::timestamptz)
            AND (e.created_at, e.id) > (:'after'::timestamptz, :'after_id'::uuid)
            AND e.remediation_status = ANY (:'statuses'::text[])
            AND (e.id = ANY (:'ids'::uuid[])
                 OR (:'ids'::uuid[] = '{}' AND e.retry_count < :'retries'::integer
                     AND (e.last_retry_at IS NULL
                          OR e.last_retry_at + power(2, e.retry_count - 1) * :'pause'::interval
                             <= :'as_of'::timestamptz)))
            AND (:'tenants'::text[] = '{}' OR e.tenant_id = ANY (:'tenants'::text[]))
            AND (:'error_types'::text[] = '{}' OR e.error_type = ANY (:'error_types'::text[]))
        ORDER BY e.created_at, e.id
        LIMIT :'limit'::integer
        FOR UPDATE SKIP LOCKED
    ) c
) b
JOIN dead_events d USING (id)
CROSS JOIN LATERAL (
    SELECT CASE WHEN jsonb_typeof(d.payload) IS DISTINCT FROM 'object'
                THEN convert_to(d.payload::text, 'UTF8')
                -- Lines that JSONB could not hold.
                WHEN d.payload - 'line' = '{}' AND jsonb_typeof(d.payload -> 'line') = 'string'
                THEN convert_to(d.payload ->> 'line', 'UTF8')
                WHEN d.payload - 'line_base64' = '{}'
                    AND d.payload ->> 'line_base64'
                        ~ '^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}(==|[A-Za-z0-9+/]=))?$'
                THEN decode(d.payload ->> 'line_base64', 'base64')
                ELSE convert_to(d.payload::text, 'UTF8')
           END AS line
    OFFSET 0 -- made once
) l
WHERE b.bytes_before < :'bytes'::bigint
ORDER BY d.created_at, d.id;
