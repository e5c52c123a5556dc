-- Whoever is erased is nobody at any identity provider either.
GRANT DELETE ON countersign.user_identities TO countersign_app;
