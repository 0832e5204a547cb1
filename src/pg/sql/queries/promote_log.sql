-- A line in the log for each conversion that was updated. A statement of its own, after the update
-- has locked the rows: it sees the lines of everyone who held them before, so that no attempt is
-- numbered twice. The lines come in the order of the log's index over conversions, with ids that
-- cost half of uuid_generate_v4()'s, the default of a database as found.
WITH promoted AS (
    SELECT c.tenant_id, c.conversion_id, s.layer_1_result, s.layer_2_result, s.layer_3_result,
           s.attribution_method, s.attribution_confidence, s.is_attributed
    FROM :"staging" s
    JOIN conversion_tracking c USING (id)
),
earlier AS (
    SELECT l.tenant_id, l.conversion_id, max(l.attempt_number) AS attempts
    FROM attribution_performance_log l
    WHERE l.conversion_id IN (SELECT p.conversion_id FROM promoted p)
    GROUP BY l.tenant_id, l.conversion_id
)
INSERT INTO attribution_performance_log
    (id, tenant_id, conversion_id, attempt_number, layer_1_result, layer_2_result,
     layer_3_result, final_method, final_confidence, success, processing_time_ms)
SELECT gen_random_uuid(), p.tenant_id, p.conversion_id, coalesce(e.attempts, 0) + 1,
       p.layer_1_result, p.layer_2_result, p.layer_3_result,
       p.attribution_method, p.attribution_confidence, p.is_attributed, :'processing_ms'::integer
FROM promoted p
LEFT JOIN earlier e USING (tenant_id, conversion_id)
ORDER BY p.conversion_id;
