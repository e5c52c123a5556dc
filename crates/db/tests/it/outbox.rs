//! The audit outbox, leadership and wake-ups.

use std::time::Duration;

use db::testing::{self, TestDb};
use db::wake::{Topic, Waker};
use db::{Db, Error, Kind};
use model::audit::{Event, MAX_EVENT_BYTES, Who};
use model::id::{EventId, TenantId};
use serde_json::Value;
use uuid::Uuid;

/// Longer than any wake-up takes: a test that waits this long has failed.
const LONG: Duration = Duration::from_secs(20);

async fn event(test: &TestDb, action: &str) -> Event {
    let actor = test.system_actor(test.tenant).await;
    Event::new(Who::from(&actor), action, "tenant", &test.tenant)
}

async fn outbox(test: &TestDb) -> Vec<(Uuid, Vec<u8>, Vec<u8>)> {
    sqlx::query_as(
        "SELECT id, canon, mac FROM countersign.audit_outbox WHERE tenant_id = $1 ORDER BY id",
    )
    .bind(test.tenant.uuid())
    .fetch_all(test.admin())
    .await
    .unwrap()
}

#[tokio::test]
async fn events_of_one_transaction_share_its_time_and_keep_their_order() {
    let test = testing::database().await;
    let events = [event(&test, "a.first").await, event(&test, "a.second").await];
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let mut ids = tx.audit_many(&events).await.unwrap();
    ids.push(tx.audit(&event(&test, "a.third").await).await.unwrap());
    tx.commit().await.unwrap();
    let rows = outbox(&test).await;
    assert_eq!(rows.iter().map(|row| EventId::from(row.0)).collect::<Vec<_>>(), ids);
    let texts: Vec<Value> =
        rows.iter().map(|row| serde_json::from_slice(&row.1).unwrap()).collect();
    let actions: Vec<&Value> = texts.iter().map(|text| &text["action"]).collect();
    assert_eq!(actions, ["a.first", "a.second", "a.third"]);
    assert!(texts.iter().all(|text| text["occurred_at"] == texts[0]["occurred_at"]));
    for (id, canon, mac) in rows {
        assert!(test.db.audit_key().verify(test.tenant, id.into(), &canon, &mac));
    }
}

#[tokio::test]
async fn an_event_shares_the_fate_of_its_transaction() {
    let test = testing::database().await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    tx.audit(&event(&test, "a.lost").await).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(outbox(&test).await, []);
}

#[tokio::test]
async fn an_event_too_large_or_without_canonical_form_is_refused() {
    let test = testing::database().await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let large = event(&test, "a.b").await.with("blob", "x".repeat(MAX_EVENT_BYTES));
    let error = tx.audit(&large).await.unwrap_err();
    assert!(matches!(error, Error::EventTooLarge { .. }), "{error:?}");
    let float = event(&test, "a.b").await.with("score", 0.5);
    assert!(matches!(tx.audit(&float).await.unwrap_err(), Error::Event(_)));
}

#[tokio::test]
async fn the_application_can_neither_read_nor_change_the_outbox() {
    let test = testing::database().await;
    for statement in [
        "SELECT FROM countersign.audit_outbox",
        "UPDATE countersign.audit_outbox SET canon = ''",
        "DELETE FROM countersign.audit_outbox",
        "TRUNCATE countersign.audit_outbox",
    ] {
        let mut tx = test.db.tenant(test.tenant).await.unwrap();
        let error = Error::from(sqlx::query(statement).execute(tx.conn()).await.unwrap_err());
        assert_eq!(error.kind(), Kind::Refused, "{statement}");
    }
}

#[tokio::test]
async fn one_process_leads_until_it_resigns_or_its_connection_ends() {
    let test = testing::database().await;
    let mut first = test.db.lead("sequencer").await.unwrap().expect("nobody leads");
    first.confirm().await.unwrap();
    assert!(test.db.lead("sequencer").await.unwrap().is_none());
    assert!(test.db.lead("sweeper").await.unwrap().is_some(), "another name is another lock");
    first.resign().await.unwrap();
    let mut second = test.db.lead("sequencer").await.unwrap().expect("the first resigned");
    // As the server sees it, the leader's machine is gone.
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_locks
         WHERE locktype = 'advisory' AND database = (
           SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .execute(test.admin())
    .await
    .unwrap();
    second.confirm().await.unwrap_err();
    assert!(test.db.lead("sequencer").await.unwrap().is_some());
}

async fn signal(db: &Db, tenant: TenantId, topic: Topic) {
    let mut tx = db.tenant(tenant).await.unwrap();
    tx.signal(topic);
    tx.commit().await.unwrap();
}

async fn woken_within(waker: &mut Waker, limit: Duration) -> bool {
    tokio::time::timeout(limit, waker.wait(LONG * 2)).await.is_ok()
}

/// Signals from one process until the other has heard it: it listens from then on.
async fn hear_each_other(test: &TestDb, from: &Db, waker: &mut Waker, topic: Topic) {
    let heard = async {
        loop {
            signal(from, test.tenant, topic).await;
            if woken_within(waker, Duration::from_millis(200)).await {
                break;
            }
        }
    };
    tokio::time::timeout(LONG, heard).await.expect("the other process hears the signal");
}

#[tokio::test]
async fn a_commit_wakes_waiters_of_this_process_at_once() {
    let test = testing::database().await;
    let mut waker = test.db.waker(Topic::Events);
    signal(&test.db, test.tenant, Topic::Events).await;
    assert!(woken_within(&mut waker, LONG).await);
}

#[tokio::test]
async fn a_commit_wakes_waiters_of_other_processes() {
    let test = testing::database().await;
    let elsewhere = test.another_process().await;
    let mut there = elsewhere.waker(Topic::Events);
    hear_each_other(&test, &test.db, &mut there, Topic::Events).await;
    let mut here = test.db.waker(Topic::Jobs);
    hear_each_other(&test, &elsewhere, &mut here, Topic::Jobs).await;
}

#[tokio::test]
async fn what_is_rolled_back_wakes_nobody() {
    let test = testing::database().await;
    let elsewhere = test.another_process().await;
    let mut events = test.db.waker(Topic::Events);
    hear_each_other(&test, &elsewhere, &mut events, Topic::Events).await;
    let mut waker = test.db.waker(Topic::Executions);
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    tx.signal(Topic::Executions);
    tx.rollback().await.unwrap();
    assert!(!woken_within(&mut waker, Duration::from_millis(100)).await);
}
