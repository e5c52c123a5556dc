-- What a test of a channel said, and how long it took.
ALTER TABLE countersign.notification_channels
  ADD COLUMN last_test_at timestamptz,
  ADD COLUMN last_test_ok boolean,
  ADD COLUMN last_test_detail text,
  ADD COLUMN last_test_ms integer;
