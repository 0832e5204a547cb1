-- The staging tables, between two parts of one transaction: anew, as rows that were deleted would
-- be read again and again until it ends.
TRUNCATE pg_temp.sink_clicks, pg_temp.sink_conversions;
