//! What every story of the demo has: an alert comes in, a plan waits, people vote, it runs.

mod failing;
mod restart;

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::hosts::Host;
use super::monitoring::Monitoring;
use super::people::Person;
use super::timeline::Timeline;
use super::wait::until;
use crate::cli::view::{at, line, raw};
use crate::client::{self, Client};

/// How long an alert may take from Prometheus to a plan, on a busy machine.
const TOLD_WITHIN: Duration = Duration::from_secs(60);
/// How long an execution may take.
const DONE_WITHIN: Duration = Duration::from_secs(90);
/// How much of a step's output is shown.
const SHOWN_LINES: usize = 4;

/// Who and what takes part in the stories.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    /// The story as it is told.
    pub(super) timeline: &'a Timeline,
    /// The watchers.
    pub(super) monitoring: &'a Monitoring,
    /// The hosts.
    pub(super) hosts: &'a [Host],
    /// Ada, Grace and Edith.
    pub(super) people: &'a [Person],
    /// As the source of alerts.
    pub(super) source: &'a Client,
}

/// A plan that waits for its approval.
#[derive(Debug)]
struct Case {
    alert: Value,
    plan: Value,
    decision: Value,
    approval: Value,
    execution: String,
}

/// An execution that was followed to its end.
#[derive(Debug)]
struct Followed {
    execution: Value,
    /// The step runs that were undone, in the order they were.
    undone: Vec<String>,
}

/// What is believed about the failures of a category of changes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Belief {
    alpha: f64,
    beta: f64,
}

impl Belief {
    fn mean(self) -> f64 {
        self.alpha / (self.alpha + self.beta)
    }
}

impl std::fmt::Display for Belief {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { alpha, beta } = self;
        write!(f, "Beta({alpha}, {beta}), {:.1} % expected to fail", self.mean() * 100.0)
    }
}

impl Stage<'_> {
    fn host(&self, name: &str) -> Result<&Host> {
        self.hosts.iter().find(|host| host.name == name).with_context(|| format!("no host {name}"))
    }

    fn person(&self, name: &str) -> Result<&Person> {
        let found = self.people.iter().find(|person| person.username == name);
        found.with_context(|| format!("nobody is called {name}"))
    }

    /// Anybody who may read.
    fn reader(&self) -> Result<Client> {
        self.people.first().map(Person::client).context("nobody takes part")
    }

    /// Waits for an alert to become a plan, and tells of both.
    async fn told(&self, alert: &str, server: &str) -> Result<Case> {
        self.monitoring.fires(alert, server).await?;
        self.timeline.event(&format!("Prometheus: {alert} fires for {server}"));
        let found = self.analyzed(alert, server).await?;
        self.timeline.event("Alertmanager delivered it to POST /api/v1/hooks/alertmanager");
        self.timeline.detail(&format!(
            "{}  [{}, status {}]\n{}",
            at(&found, "/title"),
            at(&found, "/severity"),
            at(&found, "/status"),
            at(&found, "/annotations/summary"),
        ));
        self.tell_triggers(&found);
        let started = found.pointer("/trigger_report/started").and_then(Value::as_array);
        let asked = started.into_iter().flatten().find_map(|one| one.get("asked"));
        let Some(asked) = asked else {
            bail!("no runbook was started: {}", found["trigger_report"]);
        };
        let reader = self.reader()?;
        let get = async |what: &str, pointer: &str| {
            let id = raw(asked, pointer);
            reader.get(&[what, id], &[]).await.with_context(|| format!("{what} {id}"))
        };
        let approval = get("approvals", "/approval_id").await?;
        Ok(Case {
            plan: get("plans", "/plan_id").await?,
            decision: get("decisions", "/decision_id").await?,
            execution: raw(asked, "/execution_id").to_owned(),
            alert: found,
            approval,
        })
    }

    async fn analyzed(&self, alert: &str, server: &str) -> Result<Value> {
        let reader = self.reader()?;
        let query = [("alert_name", alert.to_owned()), ("limit", "100".to_owned())];
        until(&format!("{alert} arrives and is looked at"), TOLD_WITHIN, async || {
            let page = reader.get(&["alerts"], &query).await?;
            let items = page["items"].as_array();
            let found = items.into_iter().flatten().find(|one| {
                one["instance"] == server && one["analyzed"] == true && one["status"] == "open"
            });
            Ok(found.cloned())
        })
        .await
    }

    fn tell_triggers(&self, alert: &Value) {
        let reports = alert.pointer("/trigger_report/triggers").and_then(Value::as_array);
        for report in reports.into_iter().flatten() {
            let runbook = at(report, "/runbook");
            if report["chosen"] == true {
                self.timeline.event(&format!("runbook {runbook} answers this alert"));
                continue;
            }
            let verdicts = report["verdicts"].as_array();
            let why = verdicts.into_iter().flatten().find(|verdict| verdict["holds"] == false);
            let why = why.map_or_else(String::new, |verdict| at(verdict, "/reason"));
            self.timeline.detail(&format!("not {runbook}: {why}"));
        }
    }

    /// Tells what would be done, what was decided about it, and why.
    fn tell_decision(&self, case: &Case) {
        let Case { plan, decision, approval, .. } = case;
        self.timeline.event(&format!("plan: {}", at(plan, "/summary")));
        for step in plan["steps"].as_array().into_iter().flatten() {
            self.timeline.detail(&format!(
                "{} {} ({}, {})",
                at(step, "/order"),
                at(step, "/name"),
                at(step, "/action"),
                at(step, "/semantics"),
            ));
            for (_, command) in step["commands"].as_object().into_iter().flatten() {
                self.timeline.command(command.as_str().unwrap_or_default().trim_end());
            }
            for (_, undo) in step["undo"].as_object().into_iter().flatten() {
                self.timeline
                    .detail(&format!("  undo: {}", line(undo.as_str().unwrap_or_default())));
            }
        }
        self.timeline.detail(&format!("plan hash {}", at(plan, "/plan_hash")));
        self.timeline
            .event(&format!("decision: {}, signed with Ed25519", at(decision, "/verdict")));
        let reasons = decision["reasons"].as_array();
        for reason in reasons.into_iter().flatten().filter(|reason| reason["verdict"] != "allow") {
            self.timeline.detail(&format!(
                "{}: {} ({})",
                at(reason, "/judge"),
                at(reason, "/message"),
                at(reason, "/code"),
            ));
        }
        let guards = decision["guards"].as_array().map_or(&[][..], Vec::as_slice);
        let words: Vec<_> = guards.iter().map(|guard| at(guard, "/guard")).collect();
        self.timeline.detail(&format!("guards clear: {}", words.join(", ")));
        self.timeline.event(&format!(
            "waits for {} vote(s) of {}, at tier {}, until {}",
            at(approval, "/min_votes"),
            at(approval, "/roles"),
            at(approval, "/tier"),
            at(approval, "/expires_at"),
        ));
    }

    /// Votes as somebody who must not, and tells that the vote was refused.
    async fn refused(&self, who: &str, client: &Client, approval: &str) -> Result<()> {
        self.timeline.command(&format!("countersign approve {approval}    # {who}"));
        let vote = json!({ "note": "looks good to me" });
        match client.post(&["approvals", approval, "approve"], &vote).await {
            Err(client::Error::Problem(problem)) if problem.status == 403 => {
                self.timeline.bad(&format!("refused: {} [{}]", problem.detail, problem.code));
                Ok(())
            }
            Err(error) => Err(error).with_context(|| format!("the vote of {who}")),
            Ok(ballot) => bail!("the vote of {who} was taken: {ballot}"),
        }
    }

    /// Votes.
    async fn approved(&self, name: &str, approval: &str, note: &str) -> Result<Value> {
        let person = self.person(name)?;
        let mut shown = String::new();
        if let Some(code) = person.next_code() {
            let waiting = person.client().get(&["approvals", approval], &[]).await?;
            person.step_up(&code, raw(&waiting, "/bound_hash")).await?;
            shown = format!(" --code {code}");
        }
        self.timeline
            .command(&format!("countersign approve {approval}{shown} --note '{note}'    # {name}"));
        let vote = json!({ "note": note });
        let ballot = person.client().post(&["approvals", approval, "approve"], &vote).await?;
        let missing = match ballot["missing"].as_u64() {
            Some(missing) => format!(", {missing} more needed"),
            None => String::new(),
        };
        self.timeline.good(&format!("{name}: {}{missing}", at(&ballot, "/result")));
        Ok(ballot)
    }

    /// Follows an execution to its end, live, and gives it.
    async fn followed(&self, id: &str) -> Result<Followed> {
        let reader = self.reader()?;
        self.timeline.command(&format!("countersign execution watch {id}"));
        let watched = async {
            let mut undone = Vec::new();
            let mut events = reader.events(&["executions", id, "events"]);
            while let Some(event) = events.next().await? {
                let event = serde_json::from_str(&event.data)?;
                self.tell_event(&event);
                if at(&event, "/data/details/state") == "undone" {
                    undone.push(at(&event, "/data/step_run_id"));
                }
            }
            anyhow::Ok(undone)
        };
        let undone = tokio::time::timeout(DONE_WITHIN, watched)
            .await
            .with_context(|| format!("{id} did not end within {} s", DONE_WITHIN.as_secs()))??;
        Ok(Followed { execution: reader.get(&["executions", id], &[]).await?, undone })
    }

    fn tell_event(&self, event: &Value) {
        let message = raw(event, "/data/message");
        match raw(event, "/event") {
            "output" => {
                let mut lines: Vec<&str> = message.lines().take(SHOWN_LINES).collect();
                if message.lines().count() > SHOWN_LINES {
                    lines.push("…");
                }
                lines.into_iter().for_each(|line| self.timeline.detail(&format!("| {line}")));
            }
            "state" => {
                self.timeline.event(&format!("execution: {}", line(message).replace('_', " ")));
            }
            "step" => self.timeline.event(&format!("step: {}", line(message))),
            _ => {}
        }
    }

    /// What is believed of a category by now; before any outcome, its prior.
    async fn belief(&self, case: &Case) -> Result<Belief> {
        let record = &case.decision["record"]["risk"]["input"];
        let category = raw(record, "/category");
        let beliefs = self.reader()?.get(&["beliefs"], &[]).await?;
        let learned =
            beliefs.as_array().into_iter().flatten().find(|one| one["category"] == category);
        let prior = &record["constants"]["priors"][category];
        let from = learned.unwrap_or(prior);
        let number = |name: &str| {
            let found = from[name].as_f64().or_else(|| from[name].as_str()?.parse().ok());
            found.with_context(|| format!("no {name} is believed of {category}"))
        };
        Ok(Belief { alpha: number("alpha")?, beta: number("beta")? })
    }

    /// Tells how an outcome moved what is believed.
    fn tell_belief(&self, case: &Case, before: Belief, after: Belief) {
        let category = at(&case.decision, "/record/risk/input/category");
        self.timeline.event(&format!("learned: posterior of category {category}"));
        self.timeline.detail(&format!("before: {before}\nafter:  {after}"));
    }
}

/// Holds a value against what it must be.
fn expect(what: &str, value: &Value, pointer: &str, wanted: &str) -> Result<()> {
    let found = at(value, pointer);
    if found != wanted {
        let error = at(value, "/error_message");
        bail!("{what}: {pointer} is {found}, not {wanted} ({error})");
    }
    Ok(())
}
