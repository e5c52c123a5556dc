//! From a request over HTTP to a decision: latency at a given rate, and the highest rate.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use serde_json::json;

use crate::deployment::{Postgres, Service, text};
use crate::load::{self, Body, Load, Pace, Target};
use crate::profile::System;
use crate::report::Report;
use crate::setting::Setting;
use crate::stats::{median, number, quantile, shown};
use crate::store;

const RATE: f64 = 200.0;
const SPAN: Duration = Duration::from_secs(20);
const CLOSED_SPAN: Duration = Duration::from_secs(5);
const SERVERS: usize = 20;

const NAMES: [&str; 2] = [
    "`POST /intents/evaluate` (decides, writes nothing)",
    "`POST /runbooks/{id}/run` (decides; writes and signs everything)",
];

/// What one run showed, latencies in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Once {
    p50: f64,
    p99: f64,
    worst: f64,
    most: f64,
    cpu_us: f64,
}

/// Measures both ways to ask in turns.
pub(crate) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let postgres = Postgres::start(&setting.dir.join("decision-pg")).await?;
    let admin = store::admin(postgres.admin_url())?;
    let service =
        Service::start(setting, &setting.dir.join("decision"), Some(postgres.url())).await?;
    let (key, runbook) = estate(&service).await?;
    let targets = questions(&runbook);
    let mut shown: [Vec<Once>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..setting.runs() {
        for ((path, body), into) in targets.iter().zip(&mut shown) {
            store::settle(&admin).await?;
            let key = Some(key.clone());
            let target = Target { address: service.address, path: path.clone(), key };
            let text = Bytes::from(body.to_string());
            let body: Body = Arc::new(move |_| text.clone());
            let load = |connections, span, pace| Load { connections, span, most: 1_000_000, pace };
            // Connections, prepared statements and caches as in a server that has run for a while.
            load::run(&target, load(16, Duration::from_millis(500), Pace::Closed), &body).await?;
            drained(&admin).await?;
            let span = setting.span(SPAN);
            let open = load::run(&target, load(64, span, Pace::Open(RATE)), &body).await?;
            drained(&admin).await?;
            let before = service.cpu() + postgres.cpu();
            let span = setting.span(CLOSED_SPAN);
            let closed = load::run(&target, load(16, span, Pace::Closed), &body).await?;
            drained(&admin).await?;
            let cpu = service.cpu() + postgres.cpu() - before;
            let ms = |share| quantile(&open.latencies, share) / 1000.0;
            let once = Once {
                p50: ms(0.5),
                p99: ms(0.99),
                worst: ms(1.0),
                most: closed.answered as f64 / closed.wall,
                cpu_us: cpu / closed.answered as f64 * 1e6,
            };
            eprintln!("{path}: {once:?}");
            into.push(once);
        }
    }
    service.end().await?;
    admin.close().await;
    postgres.stop().await;
    tell(report, &shown);
    profile(setting, report).await
}

/// Where the time of both goes.
async fn profile(setting: &Setting, report: &mut Report) -> Result<()> {
    let postgres = Postgres::start_watched(&setting.dir.join("decision-watched-pg")).await?;
    let data = setting.dir.join("decision-watched");
    let service = Service::start(setting, &data, Some(postgres.url())).await?;
    let (key, runbook) = estate(&service).await?;
    for (path, body) in questions(&runbook) {
        let what = if path.ends_with("/run") { "one `run`" } else { "one `evaluate`" };
        let target = Target { address: service.address, path, key: Some(key.clone()) };
        let text = Bytes::from(body.to_string());
        let body: Body = Arc::new(move |_| text.clone());
        let system = System { postgres: &postgres, service: &service };
        crate::profile::take(setting, report, what, system, &target, &body).await?;
    }
    service.end().await?;
    postgres.stop().await;
    Ok(())
}

/// Both ways to ask: path and body.
fn questions(runbook: &str) -> [(String, serde_json::Value); 2] {
    [
        (
            "/api/v1/intents/evaluate".to_owned(),
            json!({"runbook_id": runbook, "targets": ["web-7"]}),
        ),
        (format!("/api/v1/runbooks/{runbook}/run"), json!({"targets": ["web-7"]})),
    ]
}

async fn drained(admin: &store::Admin) -> Result<()> {
    while store::waiting_events(admin).await? > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// A production environment with servers and a runbook that needs approval; gives a key and it.
async fn estate(service: &Service) -> Result<(String, String)> {
    let people = service.administrator().await?;
    let environment = json!({"name": "Live", "slug": "live", "class": "prod"});
    let environment = people.post("/environments", environment).await?;
    let environment = text(&environment, "id")?.to_owned();
    for at in 0..SERVERS {
        let server = json!({
            "environment_id": environment, "name": format!("web-{at}"), "os_type": "linux",
            "tags": {"role": "web"},
        });
        let server = people.post("/resources", server).await?;
        let connection = json!({"host": format!("192.0.2.{at}"), "username": "ops"});
        let path = format!("/resources/{}/connections", text(&server, "id")?);
        people.post(&path, connection).await?;
    }
    let made = people.post("/runbooks", json!({"yaml": RUNBOOK})).await?;
    let (key, _) = people.key("decisions", &["operator"]).await?;
    Ok((key, text(&made, "id")?.to_owned()))
}

const RUNBOOK: &str = "name: restart-web
description: Restart the web service and check that it answers.
category: service-management
mode: semi_auto
status: active
timeout_seconds: 300
requires_approval: true
approval_roles: [admin, approver]
environment_vars:
  SERVICE_NAME: nginx
steps:
  - name: Check service status
    command: systemctl status --no-pager -- {{ SERVICE_NAME }}
    expected_exit_codes: [0, 3]
    timeout_seconds: 30
    semantics: read
    action: host.service.status
  - name: Restart
    command: sudo -n systemctl restart -- {{ SERVICE_NAME }}
    rollback_command: sudo -n systemctl start -- {{ SERVICE_NAME }}
    timeout_seconds: 60
    action: host.service.restart
  - name: Verify it is up
    command: systemctl is-active -- {{ SERVICE_NAME }}
    timeout_seconds: 30
    semantics: read
    action: host.service.status
    stage: verify
";

fn tell(report: &mut Report, shown: &[Vec<Once>; 2]) {
    report.heading(
        "Decision",
        &format!(
            "A runbook of three steps on one of {SERVERS} production servers, asked for over HTTP \
             with an API key: plan, risk, policy (the shipped bundle), guards, counterfactual, and for \
             `run` intent, plan, risk, signed decision, approval, execution and audit in one \
             transaction with fsync. {RATE} requests a second in an open loop for {} s over at most 64 \
             connections; latency counts from the planned moment where a request is late. Highest \
             rate: 16 connections in a closed loop for {} s. CPU: server and PostgreSQL, audit \
             included, in the closed loop.",
            SPAN.as_secs(),
            CLOSED_SPAN.as_secs()
        ),
    );
    let mut rows = Vec::new();
    for (name, runs) in NAMES.iter().zip(shown) {
        let of = |pick: fn(&Once) -> f64| runs.iter().map(pick).collect::<Vec<_>>();
        rows.push(vec![
            (*name).to_owned(),
            self::shown(&of(|one| one.p50)),
            self::shown(&of(|one| one.p99)),
            number(median(&of(|one| one.worst))),
            self::shown(&of(|one| one.most)),
            self::shown(&of(|one| one.cpu_us)),
        ]);
        let p99 = median(&of(|one| one.p99));
        report.goal(
            "decision",
            &format!("p99 < 10 ms at {RATE}/s, {name}"),
            format!("{} ms", number(p99)),
            p99 < 10.0,
        );
    }
    report.table(
        &["", "p50 ms", "p99 ms", "worst ms", "highest rate /s", "CPU µs a decision"],
        &rows,
    );
}
