-- Leave out the conversions whose click is gone, and keep the other clicks from going until the
-- transaction ends.
WITH kept AS MATERIALIZED (
    SELECT c.id
    FROM click_tracking c
    WHERE c.id IN (SELECT attributed_click_id FROM :"staging")
    FOR KEY SHARE
)
DELETE FROM :"staging" s
WHERE s.attributed_click_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM kept k WHERE k.id = s.attributed_click_id);
