-- Events that could not be written, each once.
INSERT INTO dead_events
    (tenant_id, source, event_type, error_type, error_message, payload, stream_name,
     stream_position)
SELECT d.tenant_id, 'stream', d.event_type, d.error_type, d.error_message,
       pg_temp.sink_payload(d.line), :'stream', d.stream_position
FROM pg_temp.sink_dead d
ON CONFLICT (stream_name, stream_position) WHERE source = 'stream' DO NOTHING;
