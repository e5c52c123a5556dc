//! The shipped runbooks hold together.

mod library;
