-- no-transaction
-- Whoever comes through an identity provider is known by its issuer and its name for them. Two
-- registrations of one issuer would make two accounts of one person, who could then approve what
-- they asked for themselves.
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS oidc_providers_issuer_key
  ON countersign.oidc_providers (tenant_id, issuer);
