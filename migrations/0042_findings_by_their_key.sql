-- no-transaction
-- A fingerprint is found by the unique key, which has the kind before it: there are five kinds.
DROP INDEX CONCURRENTLY IF EXISTS countersign.findings_fingerprint;
