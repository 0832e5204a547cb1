-- As found, a conversion carries its click ids in raw_data only.
INSERT INTO conversion_tracking (conversion_id, tenant_id, conversion_type, conversion_value,
    conversion_fingerprint_hash, ip_address, user_agent, device_type, conversion_timestamp,
    raw_data)
SELECT conversion_id, tenant_id, conversion_type, conversion_value, conversion_fingerprint_hash,
       ip_address, user_agent, device_type, conversion_timestamp,
       jsonb_strip_nulls(jsonb_build_object('click_id', click_id, 'fbclid', fbclid, 'gclid', gclid,
                                            'page', '/thanks', 'currency', 'EUR'))
FROM loaded
ORDER BY conversion_timestamp;
DROP TABLE loaded;
-- No vacuum that one of the contenders alone would meet.
ALTER TABLE click_tracking SET (autovacuum_enabled = off);
ALTER TABLE conversion_tracking SET (autovacuum_enabled = off);
ALTER TABLE attribution_performance_log SET (autovacuum_enabled = off);
