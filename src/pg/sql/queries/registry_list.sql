-- All versions, for people. Of the metrics a few numbers: those that say most, then by name.
SELECT r.model_name, r.version, CASE WHEN r.is_champion THEN 'yes' ELSE '' END,
       to_char(r.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
       to_char(r.promoted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), m.numbers
FROM model_registry r
CROSS JOIN LATERAL (
    SELECT string_agg(left(key, 32) || ' ' || number, ', ' ORDER BY place) AS numbers
    FROM (
        SELECT key, trim_scale(round((value #>> '{}')::numeric, 4))::text AS number,
               row_number() OVER (ORDER BY array_position(ARRAY['f05', 'precision', 'recall',
                   'log_loss', 'brier', 'calibration_error'], key), key COLLATE "C") AS place
        FROM jsonb_each(CASE WHEN jsonb_typeof(r.training_metrics) = 'object'
                             THEN r.training_metrics ELSE '{}' END)
        WHERE jsonb_typeof(value) = 'number' AND abs((value #>> '{}')::numeric) < 1e9
    ) AS numbers
    WHERE place <= 4
) AS m
ORDER BY r.model_name COLLATE "C", r.created_at, r.version COLLATE "C";
