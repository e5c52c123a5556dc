//! Guards, approvals, and the one thing that lets anything run: a Clearance.
