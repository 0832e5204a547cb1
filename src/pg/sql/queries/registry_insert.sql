-- A version, unless there is one. The artifact is kept as it is; only what it is called is put in.
INSERT INTO model_registry (model_name, version, artifact_path, artifact, training_metrics)
VALUES (:'name', :'version', nullif(:'path', ''),
        :'artifact'::jsonb || jsonb_build_object('name', :'name', 'version', :'version'),
        nullif(:'metrics', '')::jsonb)
ON CONFLICT (model_name, version) DO NOTHING;
