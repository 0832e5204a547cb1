-- What purge_clicks.sql would do.
SELECT count(*) FILTER (WHERE NOT k.is_kept), count(*) FILTER (WHERE k.is_kept), 0, 0
FROM (
    SELECT EXISTS (SELECT FROM conversion_tracking c
                   WHERE c.attributed_click_id = k.id OFFSET 0) AS is_kept
    FROM click_tracking k
    WHERE k.id = ANY (:'ids'::uuid[])
) AS k;
