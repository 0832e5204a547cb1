-- All versions, for programs.
SELECT jsonb_pretty(coalesce(jsonb_agg(
    jsonb_build_object(
        'name', model_name, 'version', version, 'champion', is_champion,
        'created_at', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'promoted_at', to_char(promoted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'artifact_path', artifact_path, 'training_metrics', training_metrics)
    ORDER BY model_name COLLATE "C", created_at, version COLLATE "C"), '[]'))
FROM model_registry;
