//! Runbooks, plans and their execution on targets.
