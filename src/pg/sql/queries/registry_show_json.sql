-- All about a version, for programs.
SELECT jsonb_pretty(jsonb_build_object(
    'name', r.model_name, 'version', r.version, 'champion', r.is_champion,
    'created_at', to_char(r.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'promoted_at', to_char(r.promoted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'artifact_path', r.artifact_path, 'training_metrics', r.training_metrics,
    'model', r.artifact,
    'promotions', (
        SELECT coalesce(jsonb_agg(
            jsonb_build_object(
                'action', p.action, 'from', p.from_version, 'to', p.to_version, 'actor', p.actor,
                'reason', p.reason,
                'at', to_char(p.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
            ORDER BY p.seq), '[]')
        FROM model_promotions p WHERE p.model_name = r.model_name)))
FROM model_registry r
WHERE r.model_name = :'name' AND r.version = :'version';
