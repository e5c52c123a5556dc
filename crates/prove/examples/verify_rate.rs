//! How fast `audit verify` is: makes a log in a test database and walks it.
//!
//! `cargo run --release -p prove --example verify_rate -- [events]`, a million unless told. Uses
//! the server of `COUNTERSIGN_TEST_ADMIN_URL`, or starts one.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports")]
#![expect(clippy::cast_precision_loss, reason = "rates are printed with few digits")]

use std::error::Error;
use std::time::{Duration, Instant};

use db::testing::{TestDb, database};
use model::Timestamp;
use prove::anchor::Anchor;
use prove::bundle::proof_file::ProofFile;
use prove::checkpoint::origin;
use prove::directory::Directory;
use prove::keys::Keyring;
use prove::publish::{Publisher, Unsigned};
use prove::sequence::task::begin_epoch;
use prove::sequence::{MAX_BATCH, Waiting, judge};
use prove::signer::Signer;
use prove::store::outbox;
use prove::synthetic;
use prove::verify::{Options, verify};

const DEPLOYMENT: &str = "rate.example";

/// Ticks of the CPU times in /proc, a constant of Linux.
const TICKS_PER_SECOND: f64 = 100.0;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Result<()> {
    let events = match std::env::args().nth(1) {
        Some(count) => count.parse()?,
        None => 1_000_000,
    };
    let test = database().await;
    let took = fill(&test, events).await?;
    println!("{:<28}{:>12.0} events/s", "appended in batches", rate(events, took));
    in_memory(&test, events)?;

    let files = tempfile::tempdir()?;
    let at = |name: &str| Directory::new(files.path().join(name));
    let publisher = Publisher {
        deployment: DEPLOYMENT.to_owned(),
        logs: at("tlog"),
        signer: Signer::new(Keyring::open_or_create(&at("keys"))?, at("signer")),
        anchor: Some(Anchor::new(at("anchor"))),
        audit_key: test.db.audit_key().clone(),
        witness: None,
        unsigned: Unsigned::Sequence,
    };
    let begin = Instant::now();
    let checkpoint = publisher.publish(&test.db, test.tenant).await?;
    println!("{:<28}{:>12.0} events/s", "published as tiles", rate(events, begin.elapsed()));

    let policy = publisher.signer.policy(&checkpoint.origin)?;
    let plain = Options {
        origin: &checkpoint.origin,
        witness: None,
        policy: None,
        anchor: None,
        mac: None,
        now: Timestamp::UNIX_EPOCH,
        max_anchor_age: None,
    };
    println!("{:<28}{:>12}{:>16}{:>18}", "verify", "events/s", "per client CPU", "per backend CPU");
    walk(&test, events, "rows", &plain).await?;
    walk(&test, events, "rows, warm", &plain).await?;
    walk(&test, events, "rows and MACs", &Options { mac: Some(test.db.audit_key()), ..plain })
        .await?;
    walk(
        &test,
        events,
        "rows, checkpoints, anchor",
        &Options { policy: Some(&policy), anchor: publisher.anchor.as_ref(), ..plain },
    )
    .await?;
    proofs(&publisher, &test, events)
}

/// Appends made-up events as the sequencer does, batch by batch.
async fn fill(test: &TestDb, events: u64) -> Result<Duration> {
    let epoch = begin_epoch(&test.db).await?;
    let mut spent = Duration::ZERO;
    let mut next = 0;
    while next < events {
        let end = events.min(next + u64::try_from(MAX_BATCH)?);
        let waiting: Vec<Waiting> = (next..end)
            .map(|n| synthetic::event(test.tenant, test.db.audit_key(), n))
            .collect::<std::result::Result<_, _>>()?;
        let begin = Instant::now();
        let mut tx = test.db.tenant(test.tenant).await?;
        outbox::append(&mut tx, epoch, &judge(test.tenant, test.db.audit_key(), &waiting)).await?;
        tx.commit().await?;
        spent += begin.elapsed();
        next = end;
    }
    sqlx::query("VACUUM (ANALYZE) countersign.audit_events").execute(test.admin()).await?;
    Ok(spent)
}

/// What the walk costs without a database.
fn in_memory(test: &TestDb, events: u64) -> Result<()> {
    let count = events.min(200_000);
    let (walked, took) = synthetic::with_rows(test.tenant, test.db.audit_key(), count, |rows| {
        let begin = Instant::now();
        (synthetic::walk(test.tenant, rows), begin.elapsed())
    })?;
    println!("{:<28}{:>12.0} events/s", "walk in memory", rate(count, took));
    if walked.first_bad.is_some() || walked.rows != count {
        return Err("the walk in memory failed".into());
    }
    Ok(())
}

async fn walk(test: &TestDb, events: u64, what: &str, options: &Options<'_>) -> Result<()> {
    let (client, backend) = (cpu_of("self")?, backends(test).await?);
    let begin = Instant::now();
    let report = verify(&test.db, test.tenant, options).await?;
    let wall = begin.elapsed();
    let (client, backend) = (cpu_of("self")? - client, backends(test).await? - backend);
    if !report.ok || report.size != events {
        eprintln!("{report:?}");
        return Err("the log does not verify".into());
    }
    println!(
        "{what:<28}{:>12.0}{:>16.0}{:>18.0}",
        rate(events, wall),
        events as f64 / client,
        events as f64 / backend
    );
    Ok(())
}

/// Proofs of events all over the log, from the tiles on disk.
fn proofs(publisher: &Publisher, test: &TestDb, events: u64) -> Result<()> {
    let log = publisher.logs.below(&origin(DEPLOYMENT, test.tenant));
    let (mut most, mut longest) = (0, Duration::ZERO);
    for index in (0..events).step_by(usize::try_from(events.div_ceil(200))?) {
        let begin = Instant::now();
        let event = synthetic::event(test.tenant, test.db.audit_key(), index)?.canon;
        let (_, tiles) = ProofFile::make(&log, index, event)?;
        longest = longest.max(begin.elapsed());
        most = most.max(tiles);
    }
    println!("inclusion proofs: at most {most} tiles and {longest:?} each");
    Ok(())
}

fn rate(events: u64, took: Duration) -> f64 {
    events as f64 / took.as_secs_f64()
}

/// The CPU seconds of the sessions in this database, where the server runs on this machine.
async fn backends(test: &TestDb) -> Result<f64> {
    let pids: Vec<i32> =
        sqlx::query_scalar("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
            .fetch_all(test.admin())
            .await?;
    Ok(pids.iter().filter_map(|pid| cpu_of(&pid.to_string()).ok()).sum())
}

/// The CPU seconds of a process so far.
fn cpu_of(pid: &str) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').ok_or("an unknown form of /proc/stat")?;
    let ticks: f64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<f64>)
        .sum::<std::result::Result<f64, _>>()?;
    Ok(ticks / TICKS_PER_SECOND)
}
