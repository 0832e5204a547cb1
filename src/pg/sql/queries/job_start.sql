-- A job's row, new or again.
INSERT INTO attribution_recompute_jobs AS j
    (tenant_ids, window_start, window_end, model, status, started_by)
SELECT coalesce(array_agg(DISTINCT t COLLATE "C" ORDER BY t COLLATE "C"), '{}'),
       :'from'::timestamptz, :'to'::timestamptz, :'model', 'running',
       coalesce(nullif(:'started_by', ''), session_user)
FROM unnest(:'tenants'::text[]) AS t
ON CONFLICT (tenant_ids, window_start, window_end, model) DO UPDATE
SET status = 'running', run_count = j.run_count + 1, started_by = excluded.started_by,
    started_at = now(), finished_at = NULL, error = NULL
RETURNING id, run_count;
