UPDATE attribution_recompute_jobs
SET status = 'failed', finished_at = clock_timestamp(), error = :'error'
WHERE id = :'job'::uuid AND status = 'running';
