-- Nothing was there that could break it.
ALTER TABLE countersign.iac_repositories
  VALIDATE CONSTRAINT iac_repositories_repository_credential_fk;
