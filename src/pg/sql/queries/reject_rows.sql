-- Malformed rows as dead events: once each, brought up to date where the fault is another one now,
-- or is there again after it was mended.
INSERT INTO dead_events AS d
    (tenant_id, source, event_type, error_type, error_message, payload)
SELECT r.tenant_id, 'batch', :'event_type', 'malformed', e.message, to_jsonb(r)
FROM unnest(:'ids'::uuid[], :'messages'::text[]) AS e (id, message)
JOIN :"table" r USING (id)
ON CONFLICT (event_type, (payload ->> 'id')) WHERE source = 'batch' DO UPDATE
SET tenant_id = excluded.tenant_id, error_message = excluded.error_message,
    payload = excluded.payload, error_type = excluded.error_type, remediation_status = 'pending',
    remediation_notes = NULL, resolved_at = NULL, retry_count = 0, last_retry_at = NULL
WHERE d.error_message <> excluded.error_message OR d.remediation_status = 'resolved'
    OR d.tenant_id IS DISTINCT FROM excluded.tenant_id;
