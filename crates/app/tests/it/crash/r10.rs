//! R10: replicas whose own clocks are wrong.

use std::time::Duration;

use model::actor::Role;
use model::secret::Secret;
use sense::alert::signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER, sign};
use serde_json::{Value, json};

use super::checker::assert_holds;
use super::clock::FakeClock;
use super::deployment::{Deployment, word};
use super::process::{Process, Setup};
use super::runbooks::{Step, runbook};
use super::until;

/// How wrong they are, in seconds.
const WRONG_S: i64 = 600;

/// How far a clock jumps to and fro, in seconds, and how often.
const STROBE_S: i64 = 30;
const STROBE_EVERY: Duration = Duration::from_millis(200);

/// What signs deliveries.
const SECRET: &str = "sixteen bytes, or more";

/// A replica and its clock.
struct Skewed {
    process: Process,
    url: String,
    clock: FakeClock,
}

impl Skewed {
    async fn start(deployment: &Deployment, role: &'static str, ahead_s: i64) -> Self {
        let clock = FakeClock::new();
        clock.set(ahead_s);
        // So long that a lease by a wrong clock is over at once, or never.
        let whole = Setup { lease_s: 20.0, role, ..deployment.whole() };
        let mut process = Setup { clock: Some(&clock), ..whole }.spawn();
        let url = process.ready().await;
        Self { process, url, clock }
    }

    async fn warns(&self, words: &str) {
        until(words, async || self.process.log.text().contains(words).then_some(())).await;
    }

    /// A request at this replica.
    fn post(&self, deployment: &Deployment, who: &str, path: &str) -> reqwest::RequestBuilder {
        deployment.http.post(format!("{}/api/v1{path}", self.url)).bearer_auth(who)
    }

    async fn answers(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }
}

async fn started(deployment: &Deployment, role: &'static str) -> [Skewed; 2] {
    let pair = [
        Skewed::start(deployment, role, WRONG_S).await,
        Skewed::start(deployment, role, -WRONG_S).await,
    ];
    // Starting took a moment, by any clock.
    pair[0].warns("s ahead of the database's").await;
    pair[1].warns("s behind the database's").await;
    pair
}

/// Seconds since 1970, by the database's clock.
async fn now(deployment: &Deployment) -> i64 {
    sqlx::query_scalar("SELECT extract(epoch FROM clock_timestamp())::bigint")
        .fetch_one(deployment.test.admin())
        .await
        .unwrap()
}

#[tokio::test]
async fn r10_workers_whose_clocks_are_wrong_hold_their_leases_and_say_so() {
    let deployment = Deployment::start().await;
    let steps = [Step::act("one").then("sleep 1"), Step::act("two"), Step::check("check")];
    let book = deployment.runbook(&runbook("once", &deployment.effects(), &steps)).await;
    let mut workers = started(&deployment, "worker").await;
    let executions = deployment.approved_many(&book, 8).await;
    let states = deployment.settled(&executions).await;
    assert!(states.iter().all(|state| state == "completed"), "{states:?}");
    // Now they jump to and fro.
    let executions = deployment.approved_many(&book, 8).await;
    let strobe = async {
        for side in [1, -1].into_iter().cycle() {
            workers.iter().for_each(|worker| worker.clock.set(side * STROBE_S));
            tokio::time::sleep(STROBE_EVERY).await;
        }
    };
    let states = tokio::select! {
        states = deployment.settled(&executions) => states,
        () = strobe => unreachable!("it goes on for ever"),
    };
    assert!(states.iter().all(|state| state == "completed"), "{states:?}");
    let epochs: Vec<i64> = sqlx::query_scalar("SELECT DISTINCT epoch FROM public.claims")
        .fetch_all(deployment.test.admin())
        .await
        .unwrap();
    assert_eq!(epochs, [1], "nobody took a lease that was held");
    for worker in &mut workers {
        worker.process.stop().await;
    }
    assert_holds(&deployment, "R10").await;
}

#[tokio::test]
async fn r10_approvals_and_signatures_count_by_the_databases_clock_wherever_they_arrive() {
    let deployment = Deployment::start().await;
    let replicas = started(&deployment, "api").await;
    approvals(&deployment, &replicas).await;
    signatures(&deployment, &replicas).await;
    order(&deployment, &replicas).await;
    let mut worker = deployment.worker().start().await;
    until("what was approved to be over", async || {
        let left: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM countersign.executions WHERE state IN ('approved', 'in_progress', 'verifying'))",
        )
        .fetch_one(deployment.test.admin())
        .await
        .unwrap();
        (!left).then_some(())
    })
    .await;
    worker.stop().await;
    assert_holds(&deployment, "R10").await;
}

/// An approval stands and ends for everybody alike.
async fn approvals(deployment: &Deployment, replicas: &[Skewed; 2]) {
    let steps = [Step::act("one"), Step::check("check")];
    let yaml = runbook("asked", &deployment.effects(), &steps);
    let book = deployment.runbook(&format!("{yaml}requires_approval: true\n")).await;
    for replica in replicas {
        for (left_s, expected) in [(60, 200), (0, 409)] {
            let run =
                replica.post(deployment, &deployment.operator, &format!("/runbooks/{book}/run"));
            let (status, asked) = replica.answers(run.json(&json!({"targets": ["host"]}))).await;
            assert_eq!(status, 202, "{asked:#}");
            let approval = word(&asked, "approval_id");
            let given: bool = sqlx::query_scalar(
                "WITH given AS (
                   SELECT id, abs(extract(epoch FROM created_at - clock_timestamp())) < 120
                     AND expires_at > clock_timestamp() AS right FROM countersign.approvals
                   WHERE status = 'pending')
                 UPDATE countersign.approvals a
                 SET expires_at = clock_timestamp() + make_interval(secs => $1)
                 FROM given WHERE a.id = given.id RETURNING given.right",
            )
            .bind(f64::from(left_s))
            .fetch_one(deployment.test.admin())
            .await
            .unwrap();
            assert!(given, "it was asked for now, and for some time");
            let path = format!("/approvals/{approval}/approve");
            let vote = replica.post(deployment, &deployment.approver, &path).json(&json!({}));
            let (status, answer) = replica.answers(vote).await;
            assert_eq!(status, expected, "{left_s} s left: {answer:#}");
        }
    }
}

/// A signature counts for five minutes around the database's present.
async fn signatures(deployment: &Deployment, replicas: &[Skewed; 2]) {
    let (source, key) = deployment.key("Zabbix", &[Role::Operator]).await;
    let known = json!({
        "name": "zabbix", "kind": "generic", "actor_id": source, "secret": SECRET,
        "mapping": {
            "name": "/check", "starts_at": "/since", "signed": "timestamp_and_body",
        },
    });
    deployment.post(&deployment.admin, "/alert-sources", &known).await;
    let body = r#"{"check":"disk","since":1772359200}"#;
    for replica in replicas {
        for (ahead_s, expected) in
            [(0, 200), (-240, 200), (240, 200), (-WRONG_S, 401), (WRONG_S, 401), (-420, 401)]
        {
            let at = (now(deployment).await + ahead_s).to_string();
            let secret = Secret::from(SECRET.to_owned());
            let signature = sign(format!("{at}.{body}").as_bytes(), &secret);
            let delivery = replica
                .post(deployment, &key, "/hooks/generic/zabbix")
                .header(SIGNATURE_HEADER, signature)
                .header(TIMESTAMP_HEADER, at)
                .body(body);
            let (status, answer) = replica.answers(delivery).await;
            assert_eq!(status, expected, "signed {ahead_s} s from now: {answer:#}");
        }
    }
}

/// What was done later comes later in the log, whoever did it.
async fn order(deployment: &Deployment, replicas: &[Skewed; 2]) {
    let mut made = Vec::new();
    for number in 0..12 {
        let replica = &replicas[number % 2];
        let slug = format!("class-{number}");
        let class = json!({"name": slug, "slug": slug, "class": "dev"});
        let post = replica.post(deployment, &deployment.admin, "/environments").json(&class);
        let (status, answer) = replica.answers(post).await;
        assert_eq!(status, 201, "{answer:#}");
        made.push(word(&answer, "id"));
    }
    let logged = until("all of it in the log", async || {
        let logged: Vec<String> = sqlx::query_scalar(
            "SELECT target_id FROM countersign.audit_events
             WHERE target_type = 'environment' AND target_id = ANY ($1) ORDER BY seq",
        )
        .bind(&made)
        .fetch_all(deployment.test.admin())
        .await
        .unwrap();
        (logged.len() == made.len()).then_some(logged)
    })
    .await;
    assert_eq!(logged, made);
}
