//! What every endpoint shares: state, problems, permission extractors, paging, idempotency.
