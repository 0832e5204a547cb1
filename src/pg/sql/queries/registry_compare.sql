-- How the version that is there differs from what would be added. Without metrics it takes those
-- that are given now.
WITH given AS (
    SELECT :'artifact'::jsonb || jsonb_build_object('name', :'name', 'version', :'version')
               AS artifact,
           nullif(:'metrics', '')::jsonb AS metrics
), filled AS (
    UPDATE model_registry r SET training_metrics = given.metrics
    FROM given
    WHERE r.model_name = :'name' AND r.version = :'version' AND r.artifact = given.artifact
        AND r.training_metrics IS NULL AND given.metrics IS NOT NULL
    RETURNING true
)
SELECT CASE WHEN r.artifact IS DISTINCT FROM given.artifact THEN 'other artifact'
            WHEN given.metrics IS NULL OR r.training_metrics = given.metrics THEN 'same'
            WHEN r.training_metrics IS NULL THEN 'metrics added'
            ELSE 'other metrics' END
FROM given JOIN model_registry r ON r.model_name = :'name' AND r.version = :'version';
