-- Known without a look at any row: the default is one value.
ALTER TABLE countersign.findings ADD COLUMN probe integer NOT NULL DEFAULT 0;
