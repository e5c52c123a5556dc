//! The signed, tamper-evident audit log, and evidence.
