//! Made-up rows of one large tenant and of small ones, made by the database itself.

use anyhow::{Context as _, Result};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::deployment::{Api, text};
use crate::store::Admin;

/// Findings a small tenant has.
pub(in crate::tenancy) const SMALL: i64 = 200;

/// How many of what.
#[derive(Debug, Clone, Copy)]
pub(in crate::tenancy) struct Rows {
    pub(in crate::tenancy) findings: i64,
    pub(in crate::tenancy) correlations: i64,
    pub(in crate::tenancy) predictions: i64,
    pub(in crate::tenancy) events: i64,
    pub(in crate::tenancy) resources: i64,
}

/// The large tenant.
#[derive(Debug)]
pub(in crate::tenancy) struct Estate {
    pub(in crate::tenancy) tenant: Uuid,
    /// One of its environments, as the API calls it.
    pub(in crate::tenancy) environment: String,
    pub(in crate::tenancy) rows: Rows,
}

/// Ids in the order of a moment, the same every time.
const HELPERS: &str = "
CREATE SCHEMA measured;
-- Every word is used once and the function is no stricter than its parts, so that the planner puts
-- it in place and calls nothing for each row.
CREATE FUNCTION measured.id_at(at timestamptz, what text, n bigint) RETURNS uuid
LANGUAGE sql STABLE AS $$
  SELECT overlay(overlay(overlay(md5(what || n::text)
    PLACING lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') FROM 1 FOR 12)
    PLACING '7' FROM 13 FOR 1) PLACING '8' FROM 17 FOR 1)::uuid
$$;
-- A number from 0 to below 1 that depends on these alone.
CREATE FUNCTION measured.share(what text, n bigint) RETURNS float8
LANGUAGE sql IMMUTABLE AS $$
  SELECT (hashtextextended(what || n::text, 0) & 1048575) / 1048576.0
$$;
CREATE FUNCTION measured.pick(words text[], what text, n bigint) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT words[1 + floor(measured.share(what, n) * cardinality(words))::int]
$$;
-- Rows are made up whole, so nothing is looked up for each of them.
CREATE FUNCTION measured.made_at(n bigint, all_of bigint) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
  SELECT now() - interval '90 days' * (1 - n / (all_of + 1.0))
$$;";

const RESOURCES: &str = "
INSERT INTO countersign.resources (tenant_id, id, environment_id, external_id, provider, kind, type,
  name, hostname, owner_team, tags, created_at)
SELECT t, measured.id_at(at, 'res' || t, n), env, 'i-' || md5(n::text), 'aws', 'server',
  'aws_instance', name, name || '.example.com', 'team-' || n % 40,
  jsonb_build_object('role', split_part(name, '-', 1), 'stage', 'live'), at
FROM (
  SELECT $1::uuid AS t, $2::uuid AS env, n,
    measured.pick('{web,db,cache,api,queue,worker}', 'name', n) || '-' || n AS name,
    measured.made_at(n, $3) AS at
  FROM generate_series(1, $3) AS n
) r";

const FINDINGS: &str = "
INSERT INTO countersign.findings (tenant_id, id, kind, resource_id, environment_id, fingerprint,
  began_at, title, severity, severity_score, confidence_score, status, first_seen, last_seen,
  resolved_at, resolution_type)
SELECT t, measured.id_at(at, 'fnd' || t, n), kind,
  measured.id_at(measured.made_at(r, $4), 'res' || t, r), env, md5('fp' || n), at,
  measured.pick('{Disk is filling up on,High latency at,Pod restarts of,Security group is open: ,Certificate expires soon for,Replication lag on}', 'title', n)
    || ' ' || measured.pick('{web,db,cache,api,queue,worker}', 'name', r) || '-' || r || '.'
    || measured.pick('{eu-west-1,us-east-1,ap-south-1}', 'region', r),
  severity, measured.share('score', n), measured.share('sure', n),
  CASE WHEN open < 0.10 THEN 'open' WHEN open < 0.12 THEN 'suppressed' WHEN open < 0.13
    THEN 'accepted' WHEN open < 0.132 THEN 'escalated' ELSE 'fixed' END,
  at, at + interval '1 hour',
  CASE WHEN open < 0.132 THEN NULL ELSE at + interval '1 day' * measured.share('mend', n) END,
  CASE WHEN open < 0.132 THEN NULL ELSE 'manual_fix' END
FROM (
  SELECT $1::uuid AS t, $2::uuid AS env, n, measured.made_at(n, $3) AS at,
    1 + floor(measured.share('res', n) * $4)::bigint AS r,
    measured.share('open', n) AS open,
    measured.pick('{alert,alert,alert,alert,alert,drift,drift,violation,violation,cost}', 'kind', n) AS kind,
    measured.pick('{low,low,low,low,medium,medium,medium,high,high,critical}', 'sev', n) AS severity
  FROM generate_series(1, $3) AS n
) f";

const ALERTS: &str = "
INSERT INTO countersign.alerts (tenant_id, finding_id, source_name, sender_actor_id, alert_name,
  instance, job, source_status, received_at, starts_at, labels_json, annotations_json,
  raw_alert_json, action_taken, analyzed)
SELECT f.tenant_id, f.id, 'prometheus', f.id, 'Alert' || (hashtext(f.fingerprint) & 63),
  split_part(f.title, ' ', -1), 'node', 'firing', f.first_seen, f.began_at,
  l, '{\"summary\": \"made up\"}', l::text::json, 'auto_analyze', true
FROM countersign.findings f,
  LATERAL (SELECT jsonb_build_object('alertname', f.title, 'severity', f.severity,
    'instance', split_part(f.title, ' ', -1), 'job', 'node') AS l) labels
WHERE f.tenant_id = $1 AND f.kind = 'alert'";

const DRIFTS: &str = "
INSERT INTO countersign.drift_events (tenant_id, finding_id, drift_type, actual_state,
  declared_state)
SELECT tenant_id, id, 'modified', '{\"open_to\": \"0.0.0.0/0\"}', '{\"open_to\": \"10.0.0.0/8\"}'
FROM countersign.findings WHERE tenant_id = $1 AND kind = 'drift'";

const CORRELATIONS: &str = "
INSERT INTO countersign.correlations (tenant_id, id, finding_id, correlation_type, external_id,
  external_system, event_data, correlation_score, temporal_offset, created_at)
SELECT f.tenant_id, measured.id_at(f.first_seen, 'cor' || f.id, k), f.id,
  measured.pick('{deployment,git_commit,alert,ticket}', f.fingerprint, k), f.fingerprint || k,
  measured.pick('{github,argo,jira}', f.fingerprint, k), '{\"author\": \"somebody\", \"sha\": \"0a1b2c\"}',
  measured.share(f.fingerprint, k), interval '1 minute' * k, f.first_seen
FROM countersign.findings f, generate_series(1, 4) AS k
WHERE f.tenant_id = $1";

const PREDICTIONS: &str = "
INSERT INTO countersign.ml_predictions (tenant_id, id, finding_id, ml_model_id, prediction_result,
  prediction_metadata, predicted_at)
SELECT f.tenant_id, measured.id_at(f.first_seen, 'pre' || f.id, k), f.id, $2,
  '{\"class\": \"emergency_fix\", \"confidence\": 0.87}', '{\"commits_1h\": 0.6}', f.first_seen
FROM countersign.findings f, generate_series(1, 2) AS k
WHERE f.tenant_id = $1";

/// Places far beyond the log's own: these events are for reading alone and prove nothing.
const EVENTS: &str = "
INSERT INTO countersign.audit_events (tenant_id, seq, id, canon, leaf, mac, occurred_at, action,
  actor_id, target_type, target_id, decision, success)
SELECT e.tenant_id, 1000000000 + n, measured.id_at(at, 'evt', n), e.canon, e.leaf, e.mac, at,
  measured.pick('{alert.received,execution.completed,approval.voted,login.succeeded}', 'act', n),
  measured.id_at(now(), 'actor', n % 50), 'finding', 'fnd_' || n % 100000, NULL, true
FROM (SELECT * FROM countersign.audit_events WHERE tenant_id = $1 ORDER BY seq LIMIT 1) e,
  generate_series(1, $2) AS n, LATERAL (SELECT measured.made_at(n, $2) AS at) m";

/// Fills the deployment's own tenant.
pub(in crate::tenancy) async fn large(admin: &Admin, people: &Api, scale: f64) -> Result<Estate> {
    let environment = json!({"name": "Live", "slug": "live", "class": "prod"});
    let environment = people.post("/environments", environment).await?;
    let environment = text(&environment, "id")?.to_owned();
    let model = people
        .post(
            "/models",
            json!({
                "name": "causes", "version": "1", "model_type": "classification",
                "framework": "trees", "features": ["commits_1h"],
                "trained_at": "2026-01-01T00:00:00Z",
            }),
        )
        .await?;
    let (env, model) = (bare(&environment)?, bare(text(&model, "id")?)?);
    let tenant: Uuid = sqlx::query_scalar("SELECT tenant_id FROM countersign.environments")
        .fetch_one(admin)
        .await?;
    let of = |full: f64| -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "numbers of rows far below 2^53")]
        let rows = (full * scale) as i64;
        rows
    };
    let rows = Rows {
        findings: of(4.5e6),
        correlations: of(18e6),
        predictions: of(9e6),
        events: of(45e6),
        resources: of(2e5),
    };
    sqlx::raw_sql(HELPERS).execute(admin).await?;
    let mut one = admin.acquire().await?;
    unwatched(&mut one).await?;
    made(&mut one, &tenant, env, &rows).await?;
    // What follows from the findings, and beside it the events.
    let mut other = admin.acquire().await?;
    unwatched(&mut other).await?;
    eprintln!("fill: correlations, predictions, events");
    let derived = async {
        sqlx::query(CORRELATIONS).bind(tenant).execute(&mut *one).await?;
        sqlx::query(PREDICTIONS).bind(tenant).bind(model).execute(&mut *one).await
    };
    let events = sqlx::query(EVENTS).bind(tenant).bind(rows.events).execute(&mut *other);
    tokio::try_join!(derived, events)?;
    drop((one, other));
    settled(admin).await?;
    Ok(Estate { tenant, environment, rows })
}

/// Adds small tenants, from this number to before that.
pub(in crate::tenancy) async fn small(admin: &Admin, from: i64, to: i64) -> Result<()> {
    let mut one = admin.acquire().await?;
    unwatched(&mut one).await?;
    for n in from..to {
        let made = "
            INSERT INTO countersign.tenants (id, slug, name)
            VALUES (measured.id_at(now(), 'ten', $1), 'small-' || $1, 'small') RETURNING id";
        let tenant: Uuid = sqlx::query_scalar(made).bind(n).fetch_one(&mut *one).await?;
        let env = "
            INSERT INTO countersign.environments (tenant_id, id, name, slug, class)
            VALUES ($1, measured.id_at(now(), 'env', $2), 'Live', 'live', 'prod') RETURNING id";
        let env: Uuid = sqlx::query_scalar(env).bind(tenant).bind(n).fetch_one(&mut *one).await?;
        let rows =
            Rows { findings: SMALL, correlations: 0, predictions: 0, events: 0, resources: 20 };
        made_of(&mut one, &tenant, env, &rows).await?;
    }
    drop(one);
    settled(admin).await
}

async fn made(one: &mut PgConnection, tenant: &Uuid, env: Uuid, rows: &Rows) -> Result<()> {
    eprintln!("fill: findings");
    made_of(one, tenant, env, rows).await
}

/// Resources, findings and their details.
async fn made_of(one: &mut PgConnection, tenant: &Uuid, env: Uuid, rows: &Rows) -> Result<()> {
    let Rows { findings, resources, .. } = *rows;
    sqlx::query(RESOURCES).bind(tenant).bind(env).bind(resources).execute(&mut *one).await?;
    sqlx::query(FINDINGS)
        .bind(tenant)
        .bind(env)
        .bind(findings)
        .bind(resources)
        .execute(&mut *one)
        .await?;
    for statement in [ALERTS, DRIFTS] {
        sqlx::query(statement).bind(tenant).execute(&mut *one).await?;
    }
    Ok(())
}

/// Without foreign keys looked up row by row, and without waiting for the disk.
async fn unwatched(one: &mut PgConnection) -> Result<()> {
    sqlx::raw_sql("SET session_replication_role = replica; SET synchronous_commit = off")
        .execute(one)
        .await?;
    Ok(())
}

/// As after a night: statistics taken, pages known to be visible to all, nothing left to write.
async fn settled(admin: &Admin) -> Result<()> {
    sqlx::raw_sql("VACUUM (ANALYZE)").execute(admin).await?;
    sqlx::raw_sql("CHECKPOINT").execute(admin).await?;
    Ok(())
}

/// The id without its prefix.
pub(in crate::tenancy) fn bare(id: &str) -> Result<Uuid> {
    let (_, bare) = id.rsplit_once('_').context("no id")?;
    Ok(bare.parse()?)
}
