//! The API over HTTP.

mod alertmanager;
mod gate;
mod harness;
mod ingest;
mod pages;
mod poison;
mod routes;
mod schemathesis;
mod session;
mod stage;
mod tenancy;
mod whole_loop;
