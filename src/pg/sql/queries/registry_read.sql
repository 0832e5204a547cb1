-- A version, or the champion where none is named, and how many versions the name has: one row,
-- also where there is none. What others wrote into the table may be too large to be a model.
SELECT (SELECT count(*) FROM model_registry WHERE model_name = :'name'),
       r.version, coalesce(octet_length(r.artifact::text), 0),
       CASE WHEN octet_length(r.artifact::text) <= :'bytes_max'::bigint THEN r.artifact::text END
FROM (SELECT) AS one
LEFT JOIN model_registry r ON r.model_name = :'name'
    AND CASE WHEN :'version' = '' THEN r.is_champion ELSE r.version = :'version' END;
