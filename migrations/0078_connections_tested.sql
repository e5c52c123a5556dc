-- What a test of a connection said, and how long it took.
ALTER TABLE countersign.connections
  ADD COLUMN last_connection_detail text,
  ADD COLUMN last_connection_ms integer;
