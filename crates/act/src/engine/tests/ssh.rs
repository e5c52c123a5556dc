//! The engine over real sshd, with the language of runbooks.

use std::fs;

use connect_ssh::Ssh;
use connect_ssh::testing::Sshd;
use model::plan::{EvidenceKind, EvidenceRequirement, PlanStep, Script, Segment, Slot, Stage};

use super::*;
use crate::decide::RunbookTerms;
use crate::decide::tests::{plan, resource, step};
use crate::store::read;

#[derive(Debug)]
struct Key(Login);

impl Logins for Key {
    fn login<'a>(
        &'a self,
        _: TenantId,
        _: ExecutionId,
        _: &'a Target,
    ) -> Pending<'a, Result<Option<Login>, Outside>> {
        Box::pin(async { Ok(Some(self.0.clone())) })
    }
}

pub(super) fn engine(estate: &Estate, sshd: &Sshd, worker: &str) -> Engine {
    let ssh: Arc<dyn Connector> = Arc::new(Ssh::new(connect_ssh::Settings::default()));
    let mut engine = estate.engine(worker);
    engine.connectors.insert("ssh".to_owned(), ssh);
    engine.logins = Arc::new(Key(sshd.login()));
    engine.terms = Arc::new(RunbookTerms);
    engine
}

pub(super) fn scripted(order: u32, stage: Stage, script: &str, undo: &str) -> PlanStep {
    let mut step = step(order, stage, 1);
    step.scripts.insert(resource(0), Script::text(script));
    if stage == Stage::Act {
        step.undo.insert(resource(0), Script::text(undo));
    }
    step
}

/// A plan on this host: each step and each undo leaves a line.
pub(super) fn on(sshd: &Sshd, steps: Vec<PlanStep>) -> Plan {
    let mut plan = plan(1, 1);
    plan.targets = vec![sshd.target(resource(0), "loopback")];
    plan.steps = steps;
    plan
}

fn lines(sshd: &Sshd) -> Vec<String> {
    let text = fs::read_to_string(sshd.dir().join("effects")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn leaves(sshd: &Sshd, line: &str) -> String {
    format!("echo {line} >> {}", sshd.dir().join("effects").display())
}

#[tokio::test]
async fn a_plan_runs_over_ssh_with_captured_output_evidence_and_a_worker_that_dies() {
    let (estate, sshd) = (Estate::new().await, Sshd::start().unwrap());
    let first = format!("{}; printf 'blue'", leaves(&sshd, "one"));
    let mut first = scripted(1, Stage::Act, &first, "true");
    first.capture_output = true;
    let mut second = scripted(2, Stage::Act, "", "true");
    let slot =
        Slot { name: "steps.s1.stdout".to_owned(), pattern: "^[a-z]+$".to_owned(), tainted: true };
    let line = leaves(&sshd, "SLOT");
    let (before, after) = line.split_once("SLOT").unwrap();
    let text = |text: &str| Segment::Text(text.to_owned());
    let script = Script(vec![text(before), Segment::Slot(slot), text(after)]);
    second.scripts.insert(resource(0), script);
    second.condition = Some("steps.s1.stdout == 'blue'".to_owned());
    let mut check = scripted(3, Stage::Verify, "echo all is well", "");
    check.evidence =
        vec![EvidenceRequirement { kind: EvidenceKind::Log, query: "stdout".to_owned() }];
    let id = estate.approved(&on(&sshd, vec![first, second, check])).await;
    let dying = engine(&estate, &sshd, "first");
    dying.stop.arm("act.effect.after");
    tokio::select! {
        _ended = estate.turn(&dying) => panic!("it passes the point"),
        () = dying.stop.reached() => {}
    }
    fixture::expire(&estate.test, id).await;
    let ended = estate.turn(&engine(&estate, &sshd, "second")).await.unwrap();
    assert_eq!(ended, finished(ExecutionState::Completed));
    assert_eq!(lines(&sshd), ["one", "blue"]);
    let attempts = fixture::attempts(&estate.test, id).await;
    assert_eq!((attempts.len(), attempts[0].3), (3, true), "adopted from the target");
    let mut tx = estate.test.db.tenant(estate.test.tenant).await.unwrap();
    let evidence = read::evidence(&mut tx, id).await.unwrap();
    let stored = estate.objects.0.lock().unwrap()[&evidence[0].result_ref].clone();
    assert!(String::from_utf8(stored).unwrap().contains("all is well"));
}

#[tokio::test]
async fn behaviour_5_a_step_whose_worker_is_gone_is_adopted_while_it_runs() {
    let (estate, sshd) = (Estate::new().await, Sshd::start().unwrap());
    let gate = sshd.dir().join("gate");
    let slow = format!(
        "{}; while [ ! -e {} ]; do sleep 0.05; done; echo through",
        leaves(&sshd, "slow"),
        gate.display()
    );
    let steps =
        vec![scripted(1, Stage::Act, &slow, "true"), scripted(2, Stage::Verify, "true", "")];
    let id = estate.approved(&on(&sshd, steps)).await;
    let first = engine(&estate, &sshd, "first");
    let running = async {
        while lines(&sshd).is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        _ended = estate.turn(&first) => panic!("the step waits"),
        () = running => {}
    }
    drop(first);
    fixture::expire(&estate.test, id).await;
    fs::write(&gate, "").unwrap();
    let ended = estate.turn(&engine(&estate, &sshd, "second")).await.unwrap();
    assert_eq!(ended, finished(ExecutionState::Completed));
    assert_eq!(lines(&sshd), ["slow"]);
    let mut tx = estate.test.db.tenant(estate.test.tenant).await.unwrap();
    let steps = read::steps(&mut tx, id).await.unwrap();
    assert_eq!(steps[0].stdout.as_deref(), Some("through\n"), "its output too");
}

#[tokio::test]
async fn behaviour_6_a_failed_check_is_rolled_back_over_a_live_connection() {
    let (estate, sshd) = (Estate::new().await, Sshd::start().unwrap());
    let act = |n: u32| {
        let (act, undo) = (leaves(&sshd, &format!("do{n}")), leaves(&sshd, &format!("undo{n}")));
        scripted(n, Stage::Act, &act, &undo)
    };
    let steps = vec![act(1), act(2), scripted(3, Stage::Verify, "exit 4", "")];
    let id = estate.approved(&on(&sshd, steps)).await;
    let ended = estate.turn(&engine(&estate, &sshd, "worker")).await.unwrap();
    assert_eq!(ended, finished(ExecutionState::RolledBack));
    assert_eq!(lines(&sshd), ["do1", "do2", "undo2", "undo1"]);
    assert_eq!(fixture::count(&estate.test, "tool_calls", id).await, 5);
}
