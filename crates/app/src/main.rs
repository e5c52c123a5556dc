//! The one binary.

pub mod cli;
pub mod client;
pub mod config;
pub mod demo;
pub mod output;
pub mod serve;
pub mod wiring;

use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use cli::{Cli, End};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A closed terminal is no reason to fail differently.
            let _printed = error.print();
            return ExitCode::from(u8::from(error.use_stderr()) * End::USAGE);
        }
    };
    log(&cli);
    // Whoever came first has installed the same one.
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::note(&format!("error: the runtime cannot be started: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(cli::run(cli));
    // What is still blocked, a prompt for instance, must not keep the process.
    runtime.shutdown_background();
    ExitCode::from(code)
}

/// Logs go to standard error: a line each for people, or JSON.
fn log(cli: &Cli) {
    let level = if cli.command.serves() { "info" } else { "warn" };
    let filter = EnvFilter::builder().with_env_var("COUNTERSIGN_LOG");
    let filter = filter.try_from_env().unwrap_or_else(|_| EnvFilter::new(level));
    let to_stderr = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if cli.global.log_json {
        to_stderr.json().init();
    } else {
        let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
        to_stderr.with_ansi(colours).init();
    }
}
