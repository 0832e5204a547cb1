UPDATE dead_events e
SET remediation_status = 'ignored', remediation_notes = nullif(:'notes', '')
WHERE e.remediation_status = 'pending'
    AND (:'ids'::uuid[] = '{}' OR e.id = ANY (:'ids'::uuid[]))
    AND (:'tenants'::text[] = '{}' OR e.tenant_id = ANY (:'tenants'::text[]))
    AND (:'error_types'::text[] = '{}' OR e.error_type = ANY (:'error_types'::text[]));
