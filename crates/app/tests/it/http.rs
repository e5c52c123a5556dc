//! The API over HTTP.

mod gate;
mod harness;
mod routes;
mod stage;
mod whole_loop;
