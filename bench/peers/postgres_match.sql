-- Session :session of :sessions takes its share of the conversions: a query with LIMIT in a LATERAL
-- join never runs in parallel workers. What an earlier step has found bars the later ones.
COPY (
    SELECT v.conversion_id, v.tenant_id, coalesce(i.click_id, f.click_id, a.click_id) AS click_id,
           CASE WHEN i.click_id IS NOT NULL THEN 'click_id'
                WHEN f.click_id IS NOT NULL THEN 'fingerprint'
                WHEN a.click_id IS NOT NULL THEN 'address'
                ELSE 'none' END AS method
    FROM conversion_tracking v
    LEFT JOIN LATERAL (
        SELECT c.click_id FROM click_tracking c
        WHERE c.click_id = v.click_id AND c.tenant_id = v.tenant_id AND c.is_valid
          AND c.click_timestamp <= v.conversion_timestamp
          AND c.click_timestamp > v.conversion_timestamp - INTERVAL '7 days'
        LIMIT 1) i ON true
    LEFT JOIN LATERAL (
        SELECT c.click_id FROM click_tracking c
        WHERE i.click_id IS NULL
          AND c.fingerprint_hash = v.conversion_fingerprint_hash AND c.tenant_id = v.tenant_id
          AND c.is_valid = true
          AND c.click_timestamp <= v.conversion_timestamp
          AND c.click_timestamp > v.conversion_timestamp - INTERVAL '7 days'
        ORDER BY c.click_timestamp DESC LIMIT 1) f ON true
    LEFT JOIN LATERAL (
        SELECT c.click_id FROM click_tracking c
        WHERE i.click_id IS NULL AND f.click_id IS NULL
          AND c.ip_address = v.ip_address AND c.device_type = v.device_type
          AND c.tenant_id = v.tenant_id AND c.is_valid = true
          AND c.click_timestamp <= v.conversion_timestamp
          AND c.click_timestamp > v.conversion_timestamp - INTERVAL '24 hours'
        ORDER BY c.click_timestamp DESC LIMIT 1) a ON true
    WHERE abs(hashtext(v.conversion_id)::bigint) % :sessions = :session
) TO STDOUT (FORMAT csv, HEADER);
