//! Light connectors: the object store and the secret vault.
