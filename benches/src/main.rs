//! Measures Countersign beside the comparisons and prints the report. `benches/run` is the way in.
// Resources of a cloud have more properties than a macro of JSON unfolds by itself.
#![recursion_limit = "256"]
#![expect(clippy::cast_precision_loss, reason = "measurements are printed with few digits")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports")]

mod audit;
mod decision;
mod deployment;
mod drift;
mod fanout;
mod footprint;
mod ingest;
mod load;
mod machine;
mod process;
mod profile;
mod report;
mod setting;
mod stats;
mod store;
mod tenancy;

use anyhow::{Result, bail};

use report::Report;
use setting::Setting;

fn main() -> Result<()> {
    // Whoever came first has installed the same one.
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => runtime.block_on(measure(&Setting::from_environment()?)),
        ["engine", spec] => runtime.block_on(fanout::engine::run(spec)),
        _ => bail!("no arguments, or `engine SPEC`: see benches/run"),
    }
}

/// Everything in order. A part that fails is reported as failed, and the others still run.
async fn measure(setting: &Setting) -> Result<()> {
    let mut report = Report::default();
    let before = machine::load();
    let mut failed = false;
    for part in setting.parts() {
        eprintln!("== {part}");
        let done = match part {
            "ingest" => ingest::measure(setting, &mut report).await,
            "fanout" => fanout::measure(setting, &mut report).await,
            "decision" => decision::measure(setting, &mut report).await,
            "audit" => audit::measure(setting, &mut report).await,
            "tenancy" => tenancy::measure(setting, &mut report).await,
            "drift" => drift::measure(setting, &mut report).await,
            "footprint" => footprint::measure(setting, &mut report).await,
            other => bail!("no part is called {other}"),
        };
        if let Err(error) = done {
            failed = true;
            eprintln!("{part}: {error:?}");
            report.failed(part, &format!("{error:#}"));
        }
    }
    print!("{}", report.text(setting, &machine::facts(setting).await, &before));
    if failed {
        bail!("a part could not be measured");
    }
    Ok(())
}
