-- The promotions of a name, in their order.
SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), action,
       coalesce(from_version, '-'), to_version, actor, reason
FROM model_promotions
WHERE model_name = :'name'
ORDER BY seq;
