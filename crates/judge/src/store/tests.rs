use db::testing::{self, TestDb};
use model::actor::Role;
use model::id::{IntentId, TenantId};
use model::level::EnvironmentClass;

use super::bundles::Compiled;
use super::{Error, assessments, bundles};
use crate::counterfactual::Change;
use crate::evaluate;
use crate::evaluate::tests::question;
use crate::exact::Exact;
use crate::policy::{Bundle, Files, PACKAGE, shipped};
use crate::risk::{Belief, Record};

fn bundle(decision: &str) -> Bundle {
    let source = format!("package {PACKAGE}\n\nimport rego.v1\n\ndecision := \"{decision}\"\n");
    Bundle::compile(Files::from([("p.rego".to_owned(), source)])).unwrap()
}

async fn intent(test: &TestDb, tenant: TenantId) -> IntentId {
    let actor = test.system_actor(tenant).await;
    let id = IntentId::generate();
    let mut tx = test.db.tenant(tenant).await.unwrap();
    sqlx::query(
        "INSERT INTO countersign.intents
           (tenant_id, id, deterministic_id, intent_type, payload, canonical_payload, body_hash,
            environment_class, requester_actor_id, trigger, summary)
         VALUES ($1, $2, $3, 'runbook', '{}', '{}', '\\x00', 'prod', $4, 'manual', 'restart')",
    )
    .bind(tenant.uuid())
    .bind(id.uuid())
    .bind(id.to_string())
    .bind(actor.id.uuid())
    .execute(tx.conn())
    .await
    .unwrap();
    tx.commit().await.unwrap();
    id
}

#[tokio::test]
async fn a_bundle_is_uploaded_activated_and_found_again_compiled() {
    let test = testing::database().await;
    let compiled = Compiled::default();
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    assert!(bundles::active(&mut tx, &compiled).await.unwrap().is_none());

    let first = bundles::upload(&mut tx, "ours", &bundle("deny"), None).await.unwrap();
    assert_eq!((first.version, first.active_from), (1, None));
    assert!(bundles::active(&mut tx, &compiled).await.unwrap().is_none());
    bundles::activate(&mut tx, first.id).await.unwrap();
    let second = bundles::upload(&mut tx, "ours", &bundle("allow"), None).await.unwrap();
    assert_eq!(second.version, 2);
    let (stored, found) = bundles::active(&mut tx, &compiled).await.unwrap().unwrap();
    assert_eq!((stored.id, found.hash()), (first.id, bundle("deny").hash()));

    bundles::activate(&mut tx, second.id).await.unwrap();
    let (stored, found) = bundles::active(&mut tx, &compiled).await.unwrap().unwrap();
    assert_eq!((stored.id, found.hash()), (second.id, bundle("allow").hash()));
    // Back to the first: activating again counts.
    bundles::activate(&mut tx, first.id).await.unwrap();
    let (stored, _) = bundles::active(&mut tx, &compiled).await.unwrap().unwrap();
    assert_eq!(stored.id, first.id);

    let again = bundles::upload(&mut tx, "ours", &bundle("allow"), None).await.unwrap();
    assert_eq!(again.id, second.id, "the same files are the same version");
    let listed = bundles::list(&mut tx, 10).await.unwrap();
    assert_eq!(listed.iter().map(|one| one.version).collect::<Vec<_>>(), [2, 1]);
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn the_shipped_bundle_is_installed_once_and_never_over_a_choice() {
    let test = testing::database().await;
    let compiled = Compiled::default();
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    assert!(bundles::install_shipped(&mut tx).await.unwrap().is_some());
    assert!(bundles::install_shipped(&mut tx).await.unwrap().is_none());
    let (_, found) = bundles::active(&mut tx, &compiled).await.unwrap().unwrap();
    assert_eq!(found.hash(), shipped().hash());
    let ours = bundles::upload(&mut tx, "ours", &bundle("deny"), None).await.unwrap();
    bundles::activate(&mut tx, ours.id).await.unwrap();
    assert!(bundles::install_shipped(&mut tx).await.unwrap().is_none());
    let (stored, _) = bundles::active(&mut tx, &compiled).await.unwrap().unwrap();
    assert_eq!(stored.id, ours.id);
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_bundle_altered_in_the_database_is_not_used() {
    let test = testing::database().await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let stored = bundles::upload(&mut tx, "ours", &bundle("deny"), None).await.unwrap();
    bundles::activate(&mut tx, stored.id).await.unwrap();
    tx.commit().await.unwrap();
    let altered = serde_json::json!(bundle("allow").files());
    sqlx::query("UPDATE countersign.policy_bundles SET body = $1")
        .bind(altered)
        .execute(test.admin())
        .await
        .unwrap();
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let found = bundles::active(&mut tx, &Compiled::default()).await;
    assert!(matches!(found, Err(Error::Altered(id)) if id == stored.id), "{found:?}");
}

#[tokio::test]
async fn tenants_do_not_see_each_others_bundles_and_assessments() {
    let test = testing::database().await;
    let other = test.another_tenant().await;
    let intent = intent(&test, test.tenant).await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let stored = bundles::install_shipped(&mut tx).await.unwrap().unwrap();
    let question = question(&[Role::Operator], "host.service.restart", "prod", 1);
    let record = Record::make(question.risk);
    let risk = assessments::insert(&mut tx, intent, None, &record, &[]).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = test.db.tenant(other).await.unwrap();
    assert!(bundles::active(&mut tx, &Compiled::default()).await.unwrap().is_none());
    assert!(bundles::list(&mut tx, 10).await.unwrap().is_empty());
    assert!(matches!(bundles::files(&mut tx, stored.id).await, Err(Error::NoBundle(_))));
    assert!(matches!(bundles::activate(&mut tx, stored.id).await, Err(Error::NoBundle(_))));
    assert!(matches!(assessments::get(&mut tx, risk).await, Err(Error::NoAssessment(_))));
    assert!(assessments::of_intent(&mut tx, intent, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn behaviour_17_an_assessment_read_from_the_database_verifies_to_the_bit() {
    let test = testing::database().await;
    let intent = intent(&test, test.tenant).await;
    let mut question = question(&[Role::Operator], "host.service.restart", "prod", 3);
    question.risk.belief = Some(Belief { alpha: Exact(1.0 / 3.0 + 1.0), beta: Exact(41.7), n: 41 });
    let judgement = evaluate::judge(&question, Some(shipped()));
    let record = Record { input: question.risk.clone(), assessment: judgement.assessment };
    let changes = [Change::Environment { class: EnvironmentClass::Staging }, Change::Reversible];

    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let id = assessments::insert(&mut tx, intent, None, &record, &changes).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let stored = assessments::get(&mut tx, id).await.unwrap();
    assert_eq!((&stored.record, stored.intent_id), (&record, intent));
    assert_eq!(stored.counterfactual, changes);
    assert!(stored.record.verify().is_ok());
    assert_eq!(assessments::of_intent(&mut tx, intent, 10).await.unwrap(), [stored]);
}

/// Maximum risk is stored like any other: nothing of it offends the columns.
#[tokio::test]
async fn a9_maximum_risk_can_be_stored_and_verified() {
    let test = testing::database().await;
    let intent = intent(&test, test.tenant).await;
    let mut question = question(&[Role::Operator], "host.service.restart", "prod", 1);
    question.risk.impact = Exact(f64::NAN);
    question.risk.opportunity = Exact(1e308);
    let record = Record::make(question.risk);
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let id = assessments::insert(&mut tx, intent, None, &record, &[]).await.unwrap();
    let stored = assessments::get(&mut tx, id).await.unwrap();
    assert!(stored.record.verify().is_ok());
    assert_eq!(stored.record.assessment, record.assessment);
}
