//! The API over HTTP.

mod gate;
mod harness;
mod ingest;
mod pages;
mod poison;
mod routes;
mod session;
mod stage;
mod tenancy;
mod whole_loop;
