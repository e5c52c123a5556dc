//! All HTTP, database and command-line tests in one binary.
#![expect(clippy::tests_outside_test_module, reason = "this whole binary is tests")]

mod console;
mod crash;
mod drift;
mod http;
