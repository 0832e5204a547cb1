-- The result stored with a conversion, as text. When: of an unattributed one the log says it.
SELECT c.attribution_method, k.click_id, c.attributed_click_id IS NOT NULL,
       c.attribution_confidence, c.match_probability, c.attribution_window_hours,
       c.probabilistic_candidates, c.attribution_model,
       to_char(coalesce(c.attributed_at, l.logged_at) AT TIME ZONE 'UTC',
               'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM conversion_tracking c
LEFT JOIN click_tracking k ON k.id = c.attributed_click_id AND k.tenant_id = c.tenant_id
LEFT JOIN LATERAL (
    SELECT max(p.created_at) AS logged_at
    FROM attribution_performance_log p
    WHERE p.conversion_id = c.conversion_id AND p.tenant_id = c.tenant_id
) AS l ON true
WHERE c.conversion_id = :'conversion' AND c.tenant_id = :'tenant';
