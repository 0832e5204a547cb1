-- How far the stream has got, once all before it is written. It never goes back: an older batch
-- that comes again is in the tables already.
INSERT INTO stream_positions AS p (stream_name, position)
VALUES (:'stream', :'position'::bigint)
ON CONFLICT (stream_name) DO UPDATE SET position = excluded.position, updated_at = now()
WHERE p.position < excluded.position;
