-- Another champion, and how it came to be. The clock is read after the lock was had.
UPDATE model_registry SET is_champion = false WHERE model_name = :'name' AND is_champion;
UPDATE model_registry SET is_champion = true, promoted_at = clock_timestamp()
WHERE model_name = :'name' AND version = :'to';
INSERT INTO model_promotions
    (model_name, action, from_version, to_version, actor, reason, created_at, undoes)
VALUES (:'name', CASE WHEN :'undoes' = '' THEN 'promote' ELSE 'rollback' END,
        nullif(:'from', ''), :'to',
        CASE WHEN :'os_user' IN ('', session_user) THEN session_user
             ELSE session_user || ' (' || left(:'os_user', 180) || ')' END,
        nullif(:'reason', ''), clock_timestamp(), nullif(:'undoes', '')::uuid);
