COPY pg_temp.sink_dead FROM STDIN (FORMAT binary);
