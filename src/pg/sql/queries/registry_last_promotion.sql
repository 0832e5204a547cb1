-- The last promotion that no rollback has taken back: what made the champion of now.
SELECT p.id, p.from_version, p.to_version
FROM model_promotions p
WHERE p.model_name = :'name' AND p.action = 'promote'
    AND NOT EXISTS (SELECT FROM model_promotions r WHERE r.undoes = p.id)
ORDER BY p.seq DESC
LIMIT 1;
