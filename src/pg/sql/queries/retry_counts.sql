-- How many dead events there are, and of the pending ones how many are due and how many are given
-- up.
SELECT e.source, e.error_type, e.remediation_status, count(*),
       count(*) FILTER (WHERE e.remediation_status = 'pending'
                            AND e.retry_count < :'retries'::integer
                            AND (e.last_retry_at IS NULL
                                 OR e.last_retry_at
                                    + power(2, e.retry_count - 1) * :'pause'::interval <= now())),
       count(*) FILTER (WHERE e.remediation_status = 'pending'
                            AND e.retry_count >= :'retries'::integer)
FROM dead_events e
WHERE (:'ids'::uuid[] = '{}' OR e.id = ANY (:'ids'::uuid[]))
    AND (:'tenants'::text[] = '{}' OR e.tenant_id = ANY (:'tenants'::text[]))
    AND (:'error_types'::text[] = '{}' OR e.error_type = ANY (:'error_types'::text[]))
GROUP BY e.source, e.error_type, e.remediation_status
ORDER BY e.source, e.error_type, e.remediation_status;
