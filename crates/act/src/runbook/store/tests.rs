//! Runbooks in a real database.

use std::collections::BTreeMap;

use db::testing::{TestDb, database};

use super::*;
use crate::runbook::compile::tests::candidate;
use crate::runbook::compile::{Request, compile};
use crate::runbook::parse::tests::SEED;

async fn start() -> (TestDb, TenantTx, ActorId) {
    let test = database().await;
    let actor = test.system_actor(test.tenant).await.id;
    let tx = test.db.tenant(test.tenant).await.unwrap();
    (test, tx, actor)
}

fn active() -> String {
    SEED.replace("mode: semi_auto", "mode: semi_auto\nstatus: active")
        .replace("  - name: Verify service", "  - name: Verify service\n    stage: verify")
}

#[tokio::test]
async fn an_import_makes_versions_and_the_same_document_makes_none() {
    let (_test, mut tx, actor) = start().await;
    let one = import(&mut tx, SEED, actor, "first").await.unwrap();
    assert_eq!((one.version, one.change), (1, Change::Created));
    assert!(!one.warnings.is_empty());
    let again = import(&mut tx, &format!("# a comment\n{SEED}"), actor, "").await.unwrap();
    assert_eq!((again.id, again.version, again.change), (one.id, 1, Change::Unchanged));
    let edited = SEED.replace("timeout_seconds: 60", "timeout_seconds: 61");
    let two = import(&mut tx, &edited, actor, "slower").await.unwrap();
    assert_eq!((two.id, two.version, two.change), (one.id, 2, Change::Changed));
    assert_eq!(export(&mut tx, one.id).await.unwrap(), edited);
    let (first, version) = at_version(&mut tx, one.id, 1).await.unwrap();
    assert_eq!(first.steps[1].timeout_seconds, 60);
    assert_eq!((version.yaml.as_str(), version.change_summary.as_str()), (SEED, "first"));
    let all: Vec<u32> =
        versions(&mut tx, one.id).await.unwrap().iter().map(|one| one.version).collect();
    assert_eq!(all, [2, 1]);
    assert_eq!(by_name(&mut tx, "restart-service").await.unwrap(), one.id);
    assert_eq!(get(&mut tx, one.id).await.unwrap().version, 2);
}

#[tokio::test]
async fn the_tables_hold_what_the_document_says() {
    let (_test, mut tx, actor) = start().await;
    let text = active().replace(
        "    cooldown_seconds: 300",
        "    cooldown_seconds: 300\n    time_window_start: 22:00\n    time_window_end: '06:00'",
    );
    let id = import(&mut tx, &text, actor, "").await.unwrap().id;
    type Row = (i32, String, Vec<i32>, String, Option<String>);
    let steps: Vec<Row> = sqlx::query_as(
        "SELECT step_order, name, expected_exit_codes, stage, rollback_command
         FROM countersign.runbook_steps
         WHERE runbook_id = $1
         ORDER BY step_order",
    )
    .bind(id.uuid())
    .fetch_all(tx.conn())
    .await
    .unwrap();
    assert_eq!(steps.len(), 3);
    assert_eq!(
        steps[0],
        (1, "Check service status".to_owned(), vec![0, 3], "act".to_owned(), None)
    );
    assert_eq!(steps[2].3, "verify");
    assert!(steps[1].4.is_some());
    let (pattern, cooldown, window): (String, i32, jiff_sqlx::Time) = sqlx::query_as(
        "SELECT severity_pattern, cooldown_seconds, time_window_start
         FROM countersign.runbook_triggers
         WHERE runbook_id = $1",
    )
    .bind(id.uuid())
    .fetch_one(tx.conn())
    .await
    .unwrap();
    assert_eq!((pattern.as_str(), cooldown), ("critical", 300));
    assert_eq!(window.to_jiff().to_string(), "22:00:00");
}

#[tokio::test]
async fn only_what_verifies_itself_becomes_active() {
    let (_test, mut tx, actor) = start().await;
    let id = import(&mut tx, SEED, actor, "").await.unwrap().id;
    let error = set_status(&mut tx, id, Status::Active).await.unwrap_err();
    let Error::NotReady(problems) = error else { panic!("{error}") };
    assert_eq!(problems[0].code, "no_verify_step");
    set_status(&mut tx, id, Status::Disabled).await.unwrap();
    assert_eq!(get(&mut tx, id).await.unwrap().runbook.status, Status::Disabled);
    let exported = export(&mut tx, id).await.unwrap();
    assert_eq!(parse::from_yaml(&exported).unwrap().status, Status::Disabled);
    let draft = active().replace("status: active", "status: draft");
    import(&mut tx, &draft, actor, "").await.unwrap();
    assert!(armed::all(&mut tx).await.unwrap().is_empty());
    set_status(&mut tx, id, Status::Active).await.unwrap();
    assert_eq!(armed::all(&mut tx).await.unwrap().len(), 1);
    let gone = set_status(&mut tx, RunbookId::generate(), Status::Disabled).await.unwrap_err();
    assert!(matches!(gone, Error::Database(db::Error::NotFound)));
}

#[tokio::test]
async fn j2_an_unsafe_document_is_not_stored() {
    let (_test, mut tx, actor) = start().await;
    let unsafe_text =
        SEED.replace("systemctl status {{ SERVICE_NAME }}", "eval {{ SERVICE_NAME }}");
    let error = import(&mut tx, &unsafe_text, actor, "").await.unwrap_err();
    let Error::Invalid(problems) = error else { panic!("{error}") };
    assert_eq!(
        (problems[0].code, problems[0].line, problems[0].column),
        ("evaluated_again", 16, 19)
    );
    let page = list(&mut tx, &ListRequest::default()).await.unwrap();
    assert!(page.items.is_empty());
}

#[tokio::test]
async fn lists_go_on_page_by_page_and_stay_within_the_tenant() {
    let (test, mut tx, actor) = start().await;
    for number in 0..5 {
        let text = SEED.replace("name: restart-service", &format!("name: book-{number}"));
        import(&mut tx, &text, actor, "").await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let mut names = Vec::new();
    let mut cursor = None;
    loop {
        let request = ListRequest::default().page(Some(2), cursor.as_deref()).unwrap();
        let page = list(&mut tx, &request).await.unwrap();
        names.extend(page.items.into_iter().map(|one| one.name));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, ["book-4", "book-3", "book-2", "book-1", "book-0"]);
    let other = test.another_tenant().await;
    let mut tx = test.db.tenant(other).await.unwrap();
    assert!(list(&mut tx, &ListRequest::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn a_start_is_taken_once_within_a_cooldown_and_survives_an_edit() {
    let (test, mut tx, actor) = start().await;
    import(&mut tx, &active(), actor, "").await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let before = armed::all(&mut tx).await.unwrap();
    let trigger = before[0].triggers[0];
    assert!(armed::take_start(&mut tx, trigger, "web1", 300).await.unwrap());
    assert!(!armed::take_start(&mut tx, trigger, "web1", 300).await.unwrap());
    assert!(armed::take_start(&mut tx, trigger, "web2", 300).await.unwrap());
    assert!(armed::take_start(&mut tx, trigger, "web1", 0).await.unwrap());
    import(
        &mut tx,
        &active().replace("priority", "").replace("ServiceDown*", "Service*"),
        actor,
        "",
    )
    .await
    .unwrap();
    let after = armed::all(&mut tx).await.unwrap();
    assert_eq!(after[0].triggers, before[0].triggers);
    assert_eq!(after[0].version, 2);
    let last = armed::last_triggered(&mut tx, &after).await.unwrap();
    assert_eq!(last.len(), 2);
    assert!(last.contains_key(&(trigger, "web1".to_owned())));
    let mine: Option<jiff_sqlx::Timestamp> = sqlx::query_scalar(
        "SELECT last_triggered_at
         FROM countersign.runbook_triggers
         WHERE id = $1",
    )
    .bind(trigger.uuid())
    .fetch_one(tx.conn())
    .await
    .unwrap();
    assert!(mine.is_some());
}

#[tokio::test]
async fn behaviour_4_an_edit_of_a_stored_runbook_changes_the_plan_that_was_approved() {
    let (_test, mut tx, actor) = start().await;
    let id = import(&mut tx, SEED, actor, "").await.unwrap().id;
    let target = [candidate("web1")];
    let variables = BTreeMap::from([("SERVICE_NAME".to_owned(), "nginx".to_owned())]);
    let plan = |stored: &Stored| {
        let (version, runbook) = (stored.version, &stored.runbook);
        let (targets, variables) = (&target, &variables);
        compile(Request { id, version, runbook, targets, alert: None, variables }).unwrap()
    };
    let approved = plan(&get(&mut tx, id).await.unwrap()).hash().unwrap();
    // Even an edit that no command shows.
    let edited = SEED.replace("Restart a failing service", "Restart a service");
    import(&mut tx, &edited, actor, "wording").await.unwrap();
    let now = plan(&get(&mut tx, id).await.unwrap());
    assert_eq!(now.runbook.version, 2);
    assert_ne!(now.hash().unwrap(), approved);
    // The version that was approved still gives what was approved.
    let (runbook, _) = at_version(&mut tx, id, 1).await.unwrap();
    let stored = Stored { version: 1, runbook, ..get(&mut tx, id).await.unwrap() };
    assert_eq!(plan(&stored).hash().unwrap(), approved);
}
