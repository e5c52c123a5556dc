//! Intents, plans and decisions are written once and read back the same.

use std::sync::Arc;

use futures::future::join_all;
use model::audit::Who;
use model::id::{DecisionId, IntentId};
use model::intent::IntentState;
use model::level::Tier;
use model::verdict::{Judge, Reason, Verdict};
use serde_json::json;

use super::world::World;
use crate::Error;
use crate::store::intents::{self, Recorded};
use crate::store::{approvals, decisions, plans};

#[tokio::test]
async fn behaviour_10_the_same_deterministic_id_is_the_same_request_or_a_conflict() {
    let world = World::new().await;
    let waiting = world.waiting(1, Tier::Medium, 1).await[0];
    let mut tx = world.tx().await;
    let known = intents::get(&mut tx, waiting.intent).await.unwrap();
    let mut again = world.intent(&known.deterministic_id);
    let who = || Who::from(&world.requester);
    let recorded = intents::insert(&mut tx, &again, who()).await.unwrap();
    assert_eq!(recorded, Recorded::Known(waiting.intent));
    let decision = intents::decision(&mut tx, recorded.id()).await.unwrap();
    assert_eq!(decision, Some(waiting.decision), "the same decision id");
    again.payload = json!({"targets": ["web-01"], "runbook": "restart-nginx"});
    let reordered = intents::insert(&mut tx, &again, who()).await.unwrap();
    assert_eq!(reordered, Recorded::Known(waiting.intent), "the order of keys is no difference");
    again.payload = json!({"runbook": "restart-nginx", "targets": ["web-02"]});
    let error = intents::insert(&mut tx, &again, who()).await.unwrap_err();
    assert!(matches!(error, Error::OtherBody { .. }), "{error:?}");
    assert_eq!(error.kind(), db::Kind::Conflict);
    drop(tx);

    let other = world.test.another_tenant().await;
    let actor = world.test.system_actor(other).await;
    let mut tx = world.test.db.tenant(other).await.unwrap();
    again.requester = actor.id;
    let theirs = intents::insert(&mut tx, &again, Who::from(&actor)).await.unwrap();
    assert_eq!(theirs, Recorded::New(again.id), "another tenant may use the id");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn behaviour_10_of_requests_at_once_one_is_new_and_the_rest_know_it() {
    let world = Arc::new(World::new().await);
    for trial in 0..20 {
        let tasks = (0..6).map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                let mut tx = world.tx().await;
                let new = world.intent(&format!("deploy-{trial}"));
                let recorded = intents::insert(&mut tx, &new, Who::from(&world.requester)).await;
                tx.commit().await.unwrap();
                recorded.unwrap()
            })
        });
        let all: Vec<Recorded> =
            join_all(tasks).await.into_iter().map(|one| one.unwrap()).collect();
        let new = all.iter().filter(|one| matches!(one, Recorded::New(_))).count();
        assert_eq!(new, 1, "{all:?}");
        let ids: std::collections::BTreeSet<IntentId> = all.iter().map(|one| one.id()).collect();
        assert_eq!(ids.len(), 1, "{all:?}");
    }
    assert_eq!(world.events("intent.created").await, 20);
}

#[tokio::test]
async fn a_payload_with_a_float_is_refused_as_invalid() {
    let world = World::new().await;
    let mut tx = world.tx().await;
    let mut new = world.intent("float");
    new.payload = json!({"ratio": 0.5});
    let error = intents::insert(&mut tx, &new, Who::from(&world.requester)).await.unwrap_err();
    assert_eq!(error.kind(), db::Kind::Invalid);
}

#[tokio::test]
async fn plans_and_decisions_read_back_as_written_and_edited_bytes_show() {
    let world = World::new().await;
    let waiting = world.waiting(1, Tier::Medium, 1).await[0];
    let mut tx = world.tx().await;
    let stored = plans::get(&mut tx, waiting.plan).await.unwrap();
    assert_eq!(stored.plan, world.plan("systemctl restart nginx", 1));
    assert_eq!((stored.plan_hash, stored.recomputed), (waiting.plan_hash, waiting.plan_hash));
    let decision = decisions::get(&mut tx, waiting.decision).await.unwrap();
    assert_eq!(decision.bound_hash, Some(waiting.bound_hash));
    assert_eq!(decision.decision.approval.map(|asked| asked.min_votes), Some(1));
    drop(tx);
    sqlx::query(
        "UPDATE countersign.plans
         SET document = convert_to(replace(convert_from(document, 'UTF8'), 'nginx', 'sshd'), 'UTF8')
         WHERE id = $1",
    )
    .bind(waiting.plan.uuid())
    .execute(world.test.admin())
    .await
    .unwrap();
    let mut tx = world.tx().await;
    let edited = plans::get(&mut tx, waiting.plan).await.unwrap();
    assert_eq!(edited.plan_hash, waiting.plan_hash);
    assert_ne!(edited.recomputed, waiting.plan_hash);
}

#[tokio::test]
async fn an_intent_is_settled_once() {
    let world = World::new().await;
    let waiting = world.waiting(1, Tier::Medium, 1).await[0];
    let mut tx = world.tx().await;
    intents::settle(&mut tx, waiting.intent, IntentState::Succeeded).await.unwrap();
    let again = intents::settle(&mut tx, waiting.intent, IntentState::Failed).await;
    assert!(matches!(again, Err(Error::Conflict { .. })), "{again:?}");
}

#[tokio::test]
async fn a_decision_over_a_thousand_targets_keeps_every_reason_and_its_event_a_few() {
    let world = World::new().await;
    let waiting = world.waiting(1, Tier::Medium, 1).await[0];
    let mut tx = world.tx().await;
    let reason = |code: String, n: usize| Reason {
        judge: Judge::Policy,
        code,
        verdict: Verdict::RequireApproval,
        message: format!("web-{n} is in a place that is not allowed: {}", "x".repeat(500)),
    };
    let each_its_own = (0..1000).map(|n| reason(format!("{n} {}", "\u{1}ä".repeat(500)), n));
    let all_the_same = (0..1000).map(|n| reason("environment_not_allowed".to_owned(), n));
    let requirement = approvals::request(&mut tx, waiting.approval).await.unwrap().requirement;
    for reasons in [each_its_own.collect::<Vec<_>>(), all_the_same.collect()] {
        let id = DecisionId::generate();
        let about = (id, waiting.intent, waiting.plan);
        world
            .decide_because(&mut tx, about, waiting.bound_hash, &requirement, reasons.clone())
            .await
            .unwrap();
        let stored = decisions::get(&mut tx, id).await.unwrap();
        assert_eq!(stored.decision.reasons, reasons, "the row has them all");
    }
    tx.commit().await.unwrap();
    let told: Vec<(serde_json::Value, Option<i64>)> = sqlx::query_as(
        "SELECT told -> 'reasons', (told ->> 'more_reasons')::bigint
         FROM countersign.audit_outbox o,
           LATERAL (SELECT convert_from(o.canon, 'UTF8')::jsonb -> 'context' AS told) context
         WHERE convert_from(o.canon, 'UTF8')::jsonb ->> 'action' = 'decision.made'
         ORDER BY o.id DESC LIMIT 2",
    )
    .fetch_all(world.test.admin())
    .await
    .unwrap();
    assert_eq!(told[0], (json!(["policy: environment_not_allowed"]), Some(999)));
    assert_eq!((told[1].0.as_array().unwrap().len(), told[1].1), (20, Some(980)));
}
