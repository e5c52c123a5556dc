//! The API over HTTP.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::float_cmp,
    reason = "tests end by panicking, say what was not run, and compare scores to the bit"
)]

mod accepted;
mod alertmanager;
mod apart;
mod autonomy;
mod conformance;
mod connections;
mod console;
mod decisions;
mod drift_scans;
mod editing;
mod explained;
mod findings;
mod foreign;
mod gate;
mod glass;
mod guesses;
mod harness;
mod identity;
mod ingest;
mod inventory;
mod lenses;
mod limits;
mod matching;
mod models;
mod named;
mod objects;
mod oidc;
mod once;
mod outcomes;
mod overview;
mod pages;
mod poison;
mod quotas;
mod retention;
mod routes;
mod schemathesis;
mod session;
mod settings;
mod shipped;
mod sources;
mod stage;
mod suspicious;
mod tenancy;
mod terminal;
mod texts;
mod typescript;
mod who;
mod whole_loop;

pub(crate) use harness::{Caller, Site, SystemClock, text};
pub(crate) use stage::{alert, group};
