//! All HTTP, database and command-line tests in one binary.
