COPY pg_temp.sink_clicks FROM STDIN (FORMAT binary);
