-- Clicks whose id another tenant has.
SELECT s.ord, 'other_tenant', 'click_id: another tenant has a click of this id'
FROM pg_temp.sink_clicks s
JOIN click_tracking k USING (click_id)
WHERE k.tenant_id <> s.tenant_id
ORDER BY s.ord;
