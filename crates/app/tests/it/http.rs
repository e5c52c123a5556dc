//! The API over HTTP.

mod gate;
mod harness;
mod poison;
mod routes;
mod stage;
mod tenancy;
mod whole_loop;
