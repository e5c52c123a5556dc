-- Up to which commit it was told who changed what, and what a repository is read with that is not
-- where the document is.
ALTER TABLE countersign.iac_repositories
  ADD COLUMN head text,
  ADD COLUMN repository_credential_id uuid,
  ADD CONSTRAINT iac_repositories_repository_credential_fk
    FOREIGN KEY (tenant_id, repository_credential_id)
    REFERENCES countersign.credentials (tenant_id, id) NOT VALID;
