-- Conversions that could be neither inserted nor updated, and why.
SELECT s.ord, f.error_type, f.error_message
FROM pg_temp.sink_conversions s
LEFT JOIN conversion_tracking c USING (conversion_id)
LEFT JOIN click_tracking k ON k.click_id = s.attributed_click AND k.tenant_id = s.tenant_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN c.tenant_id <> s.tenant_id THEN 'other_tenant'
                WHEN s.is_attributed AND k.id IS NULL THEN 'no_click'
                WHEN c.id IS NULL AND s.conversion_type IS NULL THEN 'not_storable'
           END AS error_type,
           CASE WHEN c.tenant_id <> s.tenant_id
                THEN 'conversion_id: another tenant has a conversion of this id'
                WHEN s.is_attributed AND k.id IS NULL
                THEN 'row: the click that it is attributed to is not in click_tracking'
                ELSE 'conversion_type: missing, and conversion_tracking demands it'
           END AS error_message
) f
WHERE f.error_type IS NOT NULL
ORDER BY s.ord;
