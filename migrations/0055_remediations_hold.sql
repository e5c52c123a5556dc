-- Every source that names the resource its tools run on names one there is.
ALTER TABLE countersign.iac_repositories VALIDATE CONSTRAINT iac_repositories_resource_fk;
