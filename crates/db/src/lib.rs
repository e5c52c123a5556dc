//! PostgreSQL plumbing without business words: the private server, TenantTx, migrations, jobs, outbox, test databases.
