//! The API over HTTP.

mod harness;
mod routes;
