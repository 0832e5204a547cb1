-- What has become of clicks since a conversion's result was stored: those that it names and that
-- are gone or flagged now, and those that count now and came later.
WITH stored AS (
    SELECT c.tenant_id, c.attributed_click_id, c.probabilistic_candidates,
           coalesce(c.attributed_at,
                    (SELECT max(p.created_at) FROM attribution_performance_log p
                     WHERE p.conversion_id = c.conversion_id AND p.tenant_id = c.tenant_id))
               AS stored_at
    FROM conversion_tracking c
    WHERE c.conversion_id = :'conversion' AND c.tenant_id = :'tenant'
),
named AS (
    SELECT e ->> 'click_id' AS click_id
    FROM stored s, jsonb_array_elements(
        CASE jsonb_typeof(s.probabilistic_candidates)
            WHEN 'array' THEN s.probabilistic_candidates ELSE '[]' END) AS e
    WHERE e ->> 'click_id' IS NOT NULL
    UNION
    SELECT k.click_id FROM stored s
    JOIN click_tracking k ON k.id = s.attributed_click_id AND k.tenant_id = s.tenant_id
)
SELECT 'gone', n.click_id
FROM stored s, named n
WHERE NOT EXISTS (SELECT FROM click_tracking k
                  WHERE k.click_id = n.click_id AND k.tenant_id = s.tenant_id)
UNION ALL
SELECT 'flagged', n.click_id
FROM stored s, named n
JOIN click_tracking k ON k.click_id = n.click_id
WHERE k.tenant_id = s.tenant_id AND NOT k.is_valid
UNION ALL
SELECT 'newer', k.click_id
FROM stored s, click_tracking k
WHERE k.tenant_id = s.tenant_id AND k.click_id = ANY (:'clicks'::text[])
    AND k.created_at > s.stored_at
ORDER BY 1, 2;
