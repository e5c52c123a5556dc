-- Whoever is erased is nobody at an identity provider, in an invitation, or behind emergency
-- authority either.
GRANT DELETE ON countersign.user_identities TO countersign_app;
GRANT UPDATE (email) ON countersign.invitations TO countersign_app;
GRANT UPDATE (person) ON countersign.break_glass TO countersign_app;
