-- The next dead events of a status that are old enough, in the order of time. Nothing is locked.
SELECT d.id, d.created_at
FROM dead_events d
WHERE d.remediation_status = :'status'
    AND d.created_at < :'before'::timestamptz
    AND (d.created_at, d.id) > (:'after_time'::timestamptz, :'after_id'::uuid)
    AND (:'tenants'::text[] = '{}' OR d.tenant_id = ANY (:'tenants'::text[]))
ORDER BY d.created_at, d.id
LIMIT :'page_rows'::bigint;
