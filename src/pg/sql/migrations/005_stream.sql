-- Which event of which stream a dead event was. It is one once, however often the stream comes
-- across it.
ALTER TABLE dead_events
    ADD COLUMN stream_name VARCHAR(255),
    ADD COLUMN stream_position VARCHAR(255);
CREATE UNIQUE INDEX idx_dead_events_stream_event ON dead_events (stream_name, stream_position)
    WHERE source = 'stream';
