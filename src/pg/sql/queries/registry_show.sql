-- All about a version, for people.
SELECT jsonb_pretty(artifact), CASE WHEN is_champion THEN 'yes' ELSE 'no' END,
       to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
       to_char(promoted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
       artifact_path, training_metrics::text
FROM model_registry
WHERE model_name = :'name' AND version = :'version';
