use std::collections::BTreeMap;

use db::object::{Filter, ListRequest, Test};
use db::testing::{TestDb, database};
use db::{PageRequest, TenantTx};
use model::Timestamp;
use model::actor::Role;
use model::audit::{Origin, Who};
use model::finding::{RuleAction, SourceStatus};
use model::id::{AlertRuleId, TenantId};
use serde_json::{Value, json};

use super::ingest::{Delivery, IngestReport, ingest};
use super::{finding, quarantine, rule};
use crate::alert::rule::Rule;
use crate::alert::{Batch, alertmanager, state};
use crate::finding::FindingStatus;
use crate::source::Sender;

mod estate;
mod storm;

const BEGAN: &str = "2026-03-01T10:00:00Z";

fn now() -> Timestamp {
    "2026-03-01T10:05:00Z".parse().unwrap()
}

/// An alert of this number, as Alertmanager would send it.
fn alert(number: usize, status: &str, ends_at: &str) -> Value {
    json!({
        "status": status,
        "labels": {
            "alertname": "DiskFull",
            "instance": format!("db-{number}:9100"),
            "severity": "critical",
        },
        "annotations": {"summary": "the disk is full"},
        "startsAt": BEGAN,
        "endsAt": ends_at,
        "fingerprint": format!("{number:016x}"),
    })
}

fn firing(number: usize) -> Value {
    alert(number, "firing", "0001-01-01T00:00:00Z")
}

fn resolved(number: usize, ends_at: &str) -> Value {
    alert(number, "resolved", ends_at)
}

fn batch(alerts: &[Value]) -> Batch {
    let body = json!({"version": "4", "alerts": alerts});
    alertmanager::parse(&serde_json::to_vec(&body).unwrap(), now()).unwrap()
}

async fn sender(test: &TestDb, tenant: TenantId) -> Sender {
    let actor = test.system_actor(tenant).await;
    Sender { source_id: None, name: "alertmanager".to_owned(), who: Who::from(&actor) }
}

fn delivery(batch: Batch) -> Delivery {
    Delivery { batch, origin: Origin::default() }
}

/// Takes a batch in as a request would: begin, ingest, commit.
async fn post(db: &db::Db, tenant: TenantId, sender: &Sender, batch: Batch) -> IngestReport {
    let mut tx = db.tenant(tenant).await.unwrap();
    let reports = ingest(&mut tx, sender, &[delivery(batch)]).await.unwrap();
    tx.commit().await.unwrap();
    let [report] = reports.try_into().unwrap();
    report
}

async fn analyze_everything(tx: &mut TenantTx) -> AlertRuleId {
    let rule = Rule {
        id: AlertRuleId::generate(),
        name: "everything".to_owned(),
        priority: 100,
        alert_name_pattern: "*".to_owned(),
        severity_pattern: "*".to_owned(),
        action: RuleAction::AutoAnalyze,
        enabled: true,
    };
    rule::insert(tx, &rule).await.unwrap();
    rule.id
}

async fn with_rule(test: &TestDb) -> AlertRuleId {
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let id = analyze_everything(&mut tx).await;
    tx.commit().await.unwrap();
    id
}

async fn count(test: &TestDb, query: &'static str) -> i64 {
    sqlx::query_scalar(query).bind(test.tenant.uuid()).fetch_one(test.admin()).await.unwrap()
}

const FINDINGS: &str = "SELECT count(*) FROM countersign.findings WHERE tenant_id = $1";
const ALERTS: &str = "SELECT count(*) FROM countersign.alerts WHERE tenant_id = $1";
const JOBS: &str =
    "SELECT count(*) FROM countersign.jobs WHERE tenant_id = $1 AND subject = 'assess'";

#[tokio::test]
async fn a_new_alert_is_stored_ruled_on_and_queued_once() {
    let test = database().await;
    let rule = with_rule(&test).await;
    let sender = sender(&test, test.tenant).await;
    let report = post(&test.db, test.tenant, &sender, batch(&[firing(1)])).await;
    assert_eq!((report.new, report.queued, report.findings.len()), (1, 1, 1));

    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let stored = finding::get(&mut tx, report.findings[0]).await.unwrap();
    assert_eq!(stored.title, "DiskFull on db-1:9100");
    assert_eq!((stored.status, stored.seen_count), (FindingStatus::Open, 1));
    assert_eq!(stored.alert.action, RuleAction::AutoAnalyze);
    assert_eq!(stored.alert.matched_rule, Some(rule));
    let alert = finding::alert(&mut tx, stored.id).await.unwrap();
    assert_eq!((alert.name.as_str(), alert.source.as_str()), ("DiskFull", "alertmanager"));
    assert_eq!(alert.starts_at, BEGAN.parse().unwrap());
    assert_eq!(finding::raw(&mut tx, stored.id).await.unwrap(), firing(1));
    let params: Value =
        sqlx::query_scalar("SELECT params FROM countersign.jobs WHERE tenant_id = $1")
            .bind(test.tenant.uuid())
            .fetch_one(tx.conn())
            .await
            .unwrap();
    assert_eq!(params, json!({"finding_id": stored.id.to_string()}));
}

#[tokio::test]
async fn a_batch_is_one_audit_event_with_the_hash_of_the_body() {
    let test = database().await;
    let sender = sender(&test, test.tenant).await;
    let batch = batch(&[firing(1), firing(2), json!(7)]);
    let digest = batch.digest.to_string();
    post(&test.db, test.tenant, &sender, batch).await;
    let events: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT canon FROM countersign.audit_outbox WHERE tenant_id = $1")
            .bind(test.tenant.uuid())
            .fetch_all(test.admin())
            .await
            .unwrap();
    let [event] = events.as_slice() else { panic!("one event, not {}", events.len()) };
    let event: Value = serde_json::from_slice(event).unwrap();
    assert_eq!(event["action"], "alerts.received");
    let context = &event["context"];
    assert_eq!((&context["new"], &context["quarantined"]), (&json!(2), &json!(1)));
    assert_eq!(context["body_sha256"], digest);
}

#[tokio::test]
async fn rules_decide_what_is_queued() {
    let test = database().await;
    let sender = sender(&test, test.tenant).await;
    let report = post(&test.db, test.tenant, &sender, batch(&[firing(1)])).await;
    assert_eq!((report.new, report.queued), (1, 0), "no rule: kept for a person");
    with_rule(&test).await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let mut ignore = rule::all(&mut tx).await.unwrap().remove(0);
    ignore.id = AlertRuleId::generate();
    ignore.name = "not the test bench".to_owned();
    ignore.priority = 1;
    ignore.alert_name_pattern = "disk*".to_owned();
    ignore.action = RuleAction::Ignore;
    rule::insert(&mut tx, &ignore).await.unwrap();
    tx.commit().await.unwrap();
    let report = post(&test.db, test.tenant, &sender, batch(&[firing(2)])).await;
    assert_eq!((report.new, report.queued), (1, 0));

    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let stored = finding::get(&mut tx, report.findings[0]).await.unwrap();
    assert_eq!(stored.alert.matched_rule, Some(ignore.id));
    ignore.enabled = false;
    rule::update(&mut tx, &ignore).await.unwrap();
    assert_eq!(rule::get(&mut tx, ignore.id).await.unwrap(), ignore);
    rule::delete(&mut tx, ignore.id).await.unwrap();
    let gone = rule::delete(&mut tx, ignore.id).await.unwrap_err();
    assert_eq!(gone.kind(), db::Kind::NotFound);
    let twice = analyze_everything_again(&mut tx).await;
    assert_eq!(twice.constraint(), Some("alert_rules_name_key"));
}

async fn analyze_everything_again(tx: &mut TenantTx) -> db::Error {
    let mut same = rule::all(tx).await.unwrap().remove(0);
    same.id = AlertRuleId::generate();
    rule::insert(tx, &same).await.unwrap_err()
}

#[tokio::test]
async fn i6_out_of_order_notices_end_as_they_would_in_order() {
    let test = database().await;
    with_rule(&test).await;
    let sender = sender(&test, test.tenant).await;
    let end = "2026-03-01T10:04:00Z";

    let first = post(&test.db, test.tenant, &sender, batch(&[resolved(1, end)])).await;
    assert_eq!((first.new, first.queued), (1, 0), "resolved before firing starts nothing");
    let late = post(&test.db, test.tenant, &sender, batch(&[firing(1)])).await;
    assert_eq!((late.new, late.repeated, late.queued), (0, 1, 0));

    post(&test.db, test.tenant, &sender, batch(&[firing(2)])).await;
    let ended = post(&test.db, test.tenant, &sender, batch(&[resolved(2, end)])).await;
    assert_eq!((ended.repeated, ended.resolved), (0, 1));
    let again = post(&test.db, test.tenant, &sender, batch(&[resolved(2, end)])).await;
    assert_eq!((again.repeated, again.resolved), (1, 0));
    post(&test.db, test.tenant, &sender, batch(&[firing(2)])).await;

    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    for (id, seen) in [(first.findings[0], 2), (ended.findings[0], 4)] {
        let stored = finding::get(&mut tx, id).await.unwrap();
        assert_eq!((stored.status, stored.seen_count), (FindingStatus::Fixed, seen));
        assert!(stored.resolved_at.is_some());
        assert_eq!(stored.alert.source_status, SourceStatus::Resolved);
        assert_eq!(stored.alert.ends_at, Some(end.parse().unwrap()));
        let raw = finding::raw(&mut tx, id).await.unwrap();
        assert_eq!(raw["status"], "resolved", "a late notice has nothing to say any more");
    }
}

#[tokio::test]
async fn what_a_person_decided_about_a_finding_stays_when_the_source_resolves_it() {
    let test = database().await;
    let sender = sender(&test, test.tenant).await;
    let report = post(&test.db, test.tenant, &sender, batch(&[firing(1)])).await;
    sqlx::query("UPDATE countersign.findings SET status = 'accepted' WHERE tenant_id = $1")
        .bind(test.tenant.uuid())
        .execute(test.admin())
        .await
        .unwrap();
    let end = "2026-03-01T10:04:00Z";
    post(&test.db, test.tenant, &sender, batch(&[resolved(1, end)])).await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let stored = finding::get(&mut tx, report.findings[0]).await.unwrap();
    assert_eq!(stored.status, FindingStatus::Accepted);
    assert_eq!(stored.alert.source_status, SourceStatus::Resolved);
}

#[tokio::test]
async fn a_repeat_that_says_something_new_is_taken_over() {
    let test = database().await;
    let sender = sender(&test, test.tenant).await;
    post(&test.db, test.tenant, &sender, batch(&[firing(1)])).await;
    let mut worse = firing(1);
    worse["annotations"]["summary"] = json!("the disk is 99 % full");
    let report = post(&test.db, test.tenant, &sender, batch(&[worse.clone()])).await;
    assert_eq!((report.new, report.repeated), (0, 1));
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let stored = finding::get(&mut tx, report.findings[0]).await.unwrap();
    assert_eq!(stored.alert.annotations["summary"], "the disk is 99 % full");
    assert_eq!(finding::raw(&mut tx, stored.id).await.unwrap(), worse);
}

#[tokio::test]
async fn the_database_ends_where_the_pure_merge_ends() {
    let test = database().await;
    let sender = sender(&test, test.tenant).await;
    let ends = ["2026-03-01T10:01:00Z", "2026-03-01T10:02:00Z", "0001-01-01T00:00:00Z"];
    // Every sequence of three notices out of a firing one and three resolving ones, each sequence
    // one problem, some of its notices in one batch.
    let choices: Vec<Vec<usize>> =
        (0..64).map(|code| vec![code % 4, code / 4 % 4, code / 16]).collect();
    let notice = |problem: usize, choice: usize| match choice {
        0 => firing(problem),
        other => resolved(problem, ends[other - 1]),
    };
    let together: Vec<Value> = choices
        .iter()
        .enumerate()
        .flat_map(|(problem, choice)| [notice(problem, choice[0]), notice(problem, choice[1])])
        .collect();
    post(&test.db, test.tenant, &sender, batch(&together)).await;
    let last: Vec<Value> =
        choices.iter().enumerate().map(|(problem, choice)| notice(problem, choice[2])).collect();
    let report = post(&test.db, test.tenant, &sender, batch(&last)).await;

    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    for (problem, choice) in choices.iter().enumerate() {
        let known = choice.iter().fold(None, |known, choice| {
            let notice = batch(&[notice(problem, *choice)]).notices.remove(0);
            Some(state::merge(known, notice.status, notice.ends_at).0)
        });
        let stored = finding::get(&mut tx, report.findings[problem]).await.unwrap();
        let stored = state::Known {
            status: stored.alert.source_status,
            ends_at: stored.alert.ends_at,
            seen: u64::try_from(stored.seen_count).unwrap(),
        };
        assert_eq!(Some(stored), known, "{choice:?}");
    }
}

#[tokio::test]
async fn lists_are_filtered_and_paged_and_show_only_the_own_tenant() {
    let test = database().await;
    let here = sender(&test, test.tenant).await;
    let alerts: Vec<Value> = (0..5).map(firing).collect();
    post(&test.db, test.tenant, &here, batch(&alerts)).await;
    let end = "2026-03-01T10:04:00Z";
    post(&test.db, test.tenant, &here, batch(&[resolved(3, end), json!([])])).await;
    let other = test.another_tenant().await;
    let there = sender(&test, other).await;
    let foreign = post(&test.db, other, &there, batch(&[firing(9), json!({})])).await;

    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let page = ListRequest::default().page(Some(2), None).unwrap();
    let first = finding::list(&mut tx, &page).await.unwrap();
    assert_eq!((first.items.len(), first.has_next), (2, true));
    let rest = ListRequest::default().page(Some(100), first.next_cursor.as_deref()).unwrap();
    let rest = finding::list(&mut tx, &rest).await.unwrap();
    assert_eq!((rest.items.len(), rest.has_next), (3, false));
    let fingerprint = rest.items[0].fingerprint.clone();
    let mut titles = async |filters: &[(&str, &str)], search: Option<&str>| {
        let mut wanted = ListRequest::default().page(Some(1), None).unwrap();
        wanted.search = search.map(str::to_owned);
        wanted.filters = filters
            .iter()
            .map(|(column, value)| Filter {
                column: finding::LISTED.column(column).unwrap(),
                test: Test::OneOf(vec![(*value).to_owned()]),
            })
            .collect();
        let page = finding::list(&mut tx, &wanted).await.unwrap();
        page.items.into_iter().map(|f| f.title).collect::<Vec<_>>()
    };
    let fixed = ("status", "fixed");
    assert_eq!(titles(&[fixed], None).await, ["DiskFull on db-3:9100"]);
    assert_eq!(titles(&[], Some("DB-4")).await, ["DiskFull on db-4:9100"]);
    // All five hold it, and the one that is wanted is not among the first that are looked up.
    assert_eq!(titles(&[fixed], Some("diskfull")).await, ["DiskFull on db-3:9100"]);
    assert_eq!(titles(&[], Some("%")).await.len(), 0);
    assert_eq!(titles(&[("alert_name", "diskfull")], None).await.len(), 0);
    assert_eq!(titles(&[("alert_name", "DiskFull"), fixed], None).await.len(), 1);
    assert_eq!(titles(&[("severity", "critical"), fixed], None).await.len(), 1);
    assert_eq!(titles(&[("severity", "low")], None).await.len(), 0);
    assert_eq!(titles(&[("severity", "no such word")], None).await.len(), 0);
    assert_eq!(titles(&[("fingerprint", &fingerprint)], None).await.len(), 1);
    let hidden = finding::get(&mut tx, foreign.findings[0]).await.unwrap_err();
    assert_eq!(hidden.kind(), db::Kind::NotFound);
    let all = PageRequest::default();
    let set_aside = quarantine::list(&mut tx, &all).await.unwrap().items;
    assert_eq!(set_aside.len(), 1);
    assert_eq!(quarantine::get(&mut tx, set_aside[0].id).await.unwrap(), set_aside[0]);
    assert_eq!((set_aside[0].path.as_str(), set_aside[0].raw.as_str()), ("/alerts/1", "[]"));
}
