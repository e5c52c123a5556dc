//! Steps on hosts over SSH, behind the target guard.
