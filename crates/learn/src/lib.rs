//! What verified outcomes teach: posteriors and outcomes.
