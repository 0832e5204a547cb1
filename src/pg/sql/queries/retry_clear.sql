-- The staging tables, between two parts of one transaction.
DELETE FROM pg_temp.sink_clicks;
DELETE FROM pg_temp.sink_conversions;
