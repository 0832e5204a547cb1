SELECT position FROM stream_positions WHERE stream_name = :'stream';
