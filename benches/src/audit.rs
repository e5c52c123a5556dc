//! How fast the audit log is verified.

use std::time::Instant;

use anyhow::{Result, bail};
use db::{AuditKey, Db, Options};
use model::Timestamp;
use prove::anchor::Anchor;
use prove::directory::Directory;
use prove::keys::Keyring;
use prove::publish::{Publisher, Unsigned};
use prove::sequence::task::begin_epoch;
use prove::sequence::{MAX_BATCH, Waiting, judge};
use prove::signer::Signer;
use prove::store::outbox;
use prove::synthetic;
use prove::verify::{self, verify};

use crate::deployment::Postgres;
use crate::process;
use crate::report::Report;
use crate::setting::Setting;
use crate::stats::{median, number, shown};
use crate::store;

const EVENTS: u64 = 1_000_000;

/// What one run showed: seconds.
#[derive(Debug, Clone, Copy)]
struct Once {
    wall: f64,
    client: f64,
    backend: f64,
}

const NAMES: [&str; 3] =
    ["rows alone", "rows, checkpoints, anchor", "rows, MACs, checkpoints, anchor"];

/// Makes a log and verifies it.
pub(crate) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let events = if setting.quick { 50_000 } else { EVENTS };
    let postgres = Postgres::start(&setting.dir.join("audit-pg")).await?;
    let admin = store::admin(postgres.admin_url())?;
    let options = Options {
        url: postgres.url().to_owned(),
        max_connections: 8,
        audit_key: AuditKey::new(&[7; 32]),
    };
    let db = Db::connect(options).await?;
    let tenant = store::new_tenant(&db).await?;
    let filled = fill(&db, tenant, events).await?;
    store::vacuum_events(&admin).await?;
    let at = |name: &str| Directory::new(setting.dir.join("audit").join(name));
    let publisher = Publisher {
        deployment: "measured.example".to_owned(),
        logs: at("log"),
        signer: Signer::new(Keyring::open_or_create(&at("keys"))?, at("signer")),
        anchor: Some(Anchor::new(at("anchor"))),
        audit_key: db.audit_key().clone(),
        witness: None,
        unsigned: Unsigned::Sequence,
    };
    let begin = Instant::now();
    let checkpoint = publisher.publish(&db, tenant).await?;
    let published = begin.elapsed().as_secs_f64();
    let policy = publisher.signer.policy(&checkpoint.origin)?;
    let plain = verify::Options {
        origin: &checkpoint.origin,
        witness: None,
        policy: None,
        anchor: None,
        mac: None,
        now: Timestamp::UNIX_EPOCH,
        max_anchor_age: None,
    };
    let signed =
        verify::Options { policy: Some(&policy), anchor: publisher.anchor.as_ref(), ..plain };
    let whole = verify::Options { mac: Some(db.audit_key()), ..signed };
    let mut shown: [Vec<Once>; 3] = [const { Vec::new() }; 3];
    for _ in 0..setting.runs() {
        for (options, into) in [&plain, &signed, &whole].into_iter().zip(&mut shown) {
            let (client, backend) = (process::alone(), postgres.cpu());
            let begin = Instant::now();
            let found = verify(&db, tenant, options).await?;
            let once = Once {
                wall: begin.elapsed().as_secs_f64(),
                client: process::alone() - client,
                backend: postgres.cpu() - backend,
            };
            if !found.ok || found.size != events {
                bail!("the log does not verify: {found:?}");
            }
            eprintln!("verify: {once:?}");
            into.push(once);
        }
    }
    db.close().await;
    admin.close().await;
    postgres.stop().await;
    tell(report, &shown, events, filled, published);
    Ok(())
}

/// Appends made-up events as the sequencer does; gives the seconds it took.
async fn fill(db: &Db, tenant: model::id::TenantId, events: u64) -> Result<f64> {
    let epoch = begin_epoch(db).await?;
    let (mut spent, mut next) = (0.0, 0);
    while next < events {
        let end = events.min(next + u64::try_from(MAX_BATCH)?);
        let waiting: Vec<Waiting> = (next..end)
            .map(|n| synthetic::event(tenant, db.audit_key(), n))
            .collect::<Result<_, _>>()?;
        let begin = Instant::now();
        let mut tx = db.tenant(tenant).await?;
        outbox::append(&mut tx, epoch, &judge(tenant, db.audit_key(), &waiting)).await?;
        tx.commit().await?;
        spent += begin.elapsed().as_secs_f64();
        next = end;
    }
    Ok(spent)
}

fn tell(report: &mut Report, shown: &[Vec<Once>; 3], events: u64, filled: f64, published: f64) {
    report.heading(
        "Audit",
        &format!(
            "{events} made-up events of about 470 bytes in a private PostgreSQL, written by the \
             sequencer's own statements with fsync ({}/s, once), published as tiles with a signed \
             checkpoint ({}/s, once), then verified: every leaf hashed again from the stored bytes, \
             every column held against them, the tree's root against the checkpoints and the \
             anchor, and where named every MAC. A core: CPU of the verifying process and of the \
             database together.",
            number(events as f64 / filled),
            number(events as f64 / published)
        ),
    );
    let count = events as f64;
    let mut rows = Vec::new();
    for (name, runs) in NAMES.iter().zip(shown) {
        let of = |pick: fn(&Once) -> f64| runs.iter().map(pick).collect::<Vec<_>>();
        let rates =
            |pick: fn(&Once) -> f64| runs.iter().map(|one| count / pick(one)).collect::<Vec<_>>();
        let rate = rates(|one| one.client + one.backend);
        rows.push(vec![
            (*name).to_owned(),
            self::shown(&of(|one| one.wall)),
            number(median(&rates(|one| one.wall))),
            number(median(&of(|one| one.client))),
            number(median(&of(|one| one.backend))),
            self::shown(&rate),
        ]);
        report.goal(
            "audit",
            &format!("≥ 300,000 events/s a core, {name}"),
            format!(
                "{}/s a core, database included; {}/s a core of the verifier; {}/s by the clock",
                number(median(&rate)),
                number(median(&rates(|one| one.client))),
                number(median(&rates(|one| one.wall)))
            ),
            median(&rate) >= 300_000.0,
        );
    }
    report.table(
        &[
            "",
            "wall s",
            "events/s by the clock",
            "CPU s, verifier",
            "CPU s, database",
            "events/s a core",
        ],
        &rows,
    );
}
