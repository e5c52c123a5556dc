-- Append-only tables by month: a month that is old enough is archived and dropped as one.
--
-- The key stays (tenant_id, id): ids are UUIDv7, so the bounds of a month are bounds of ids.

-- The smallest UUIDv7 of a moment.
CREATE FUNCTION countersign.first_id_at(moment timestamptz)
RETURNS uuid LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog AS $$
  SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0')
    || '00000000000000000000')::uuid
$$;

-- The partition of one month of one table. Policies do not pass from a table to a query that names
-- its partition, so each gets its own; the application is granted the table alone.
CREATE FUNCTION countersign.add_partition(parent regclass, month date)
RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  short text := (SELECT c.relname FROM pg_class c WHERE c.oid = parent);
  partition text := format('%s_%s', short, to_char(month, '"y"YYYY"m"MM'));
BEGIN
  IF to_regclass(format('countersign.%I', partition)) IS NOT NULL THEN
    RETURN false;
  END IF;
  EXECUTE format(
    'CREATE TABLE countersign.%I PARTITION OF %s FOR VALUES FROM (%L) TO (%L)', partition, parent,
    countersign.first_id_at(month::timestamp AT TIME ZONE 'UTC'),
    countersign.first_id_at((month + interval '1 month') AT TIME ZONE 'UTC'));
  EXECUTE format('SELECT countersign.protect(''countersign.%I'')', partition);
  RETURN true;
EXCEPTION
  -- Rows of that month came before its partition did: they stay with the rest.
  WHEN check_violation THEN RETURN false;
END $$;

-- Makes the months from the last one to `ahead` months from now, for every table that is kept by
-- month. What comes before or after is kept in a default partition, never refused.
CREATE FUNCTION countersign.add_partitions(ahead integer)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  this_month date := date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC')::date;
  made integer := 0;
  parent regclass;
  n integer;
BEGIN
  -- One at a time: several servers may come to it in the same minute.
  PERFORM pg_advisory_xact_lock(hashtext('countersign.add_partitions'));
  FOR parent IN
    SELECT c.oid::regclass FROM pg_class c
    WHERE c.relnamespace = 'countersign'::regnamespace AND c.relkind = 'p'
    ORDER BY c.relname
  LOOP
    FOR n IN -1 .. least(greatest(ahead, 0), 24) LOOP
      IF countersign.add_partition(parent, (this_month + make_interval(months => n))::date) THEN
        made := made + 1;
      END IF;
    END LOOP;
  END LOOP;
  RETURN made;
END $$;
REVOKE ALL ON FUNCTION countersign.add_partition(regclass, date),
  countersign.add_partitions(integer), countersign.first_id_at(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION countersign.add_partitions(integer),
  countersign.first_id_at(timestamptz) TO countersign_app;

-- The default partition of a table that is kept by month.
CREATE FUNCTION countersign.keep_by_month(parent regclass)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  rest text := (SELECT c.relname FROM pg_class c WHERE c.oid = parent) || '_rest';
BEGIN
  EXECUTE format('CREATE TABLE countersign.%I PARTITION OF %s DEFAULT', rest, parent);
  EXECUTE format('SELECT countersign.protect(''countersign.%I'')', rest);
END $$;
REVOKE ALL ON FUNCTION countersign.keep_by_month(regclass) FROM PUBLIC;
