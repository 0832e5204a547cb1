INSERT INTO attribution_performance_log (tenant_id, conversion_id, layer_1_result, layer_2_result,
    layer_3_result, final_method, final_confidence, success, processing_time_ms)
SELECT tenant_id, conversion_id, layer_1_result, layer_2_result, layer_3_result, attribution_method,
       attribution_confidence, success, processing_time_ms
FROM results;
