-- What drifted in a source ($2) and its scan ($3) did not see again is gone, whatever was thought of
-- it. Of what could not be looked at nothing is known: types of which all ($4), and resources by
-- their address or id ($5), stay as they were; so does what nothing declares, but for the types of
-- which that was looked for ($6; `*` is all of them).
SELECT d.finding_id
FROM countersign.drift_events d
WHERE d.tenant_id = $1
  AND d.iac_repository_id = $2
  AND d.scan_id IS DISTINCT FROM $3
  AND coalesce(d.metadata ->> 'type', '') <> ALL ($4::text[])
  AND coalesce(d.metadata ->> 'address', '') <> ALL ($5::text[])
  AND coalesce(d.metadata ->> 'id', '') <> ALL ($5::text[])
  AND (d.drift_type <> 'added' OR '*' = ANY ($6::text[]) OR d.metadata ->> 'type' = ANY ($6::text[]))
