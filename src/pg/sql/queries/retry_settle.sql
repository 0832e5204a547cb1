-- What came of them, in the transaction of their effects.
UPDATE dead_events d
SET remediation_status = CASE o.outcome WHEN 'failed' THEN d.remediation_status ELSE o.outcome END,
    resolved_at = CASE o.outcome WHEN 'resolved' THEN now() END,
    remediation_notes = CASE o.outcome WHEN 'failed' THEN d.remediation_notes ELSE o.message END,
    error_type = CASE o.outcome WHEN 'failed' THEN o.error_type ELSE d.error_type END,
    error_message = CASE o.outcome WHEN 'failed' THEN o.message ELSE d.error_message END,
    retry_count = d.retry_count + CASE o.outcome WHEN 'failed' THEN 1 ELSE 0 END,
    last_retry_at = clock_timestamp()
FROM unnest(:'ids'::uuid[], :'outcomes'::text[], :'error_types'::text[], :'messages'::text[])
    AS o (id, outcome, error_type, message)
WHERE d.id = o.id;
