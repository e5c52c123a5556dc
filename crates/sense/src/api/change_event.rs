//! What happened outside, told over HTTP line by line, and listed.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::lines::{ImportOut, Keeping, Kept, Lines, Refused};
use api::permission::{ReadFindings, WriteFindings};
use api::problem::Answer;
use api::{App, Caller, Can, Change, Problem, object};
use axum::Json;
use axum::extract::{Request, State};
use model::Timestamp;
use model::id::{ChangeEventId, EnvironmentId};
use model::level::Severity;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{answer, sized};
use crate::change_event::{ChangeKind, Happened, without_secrets};
use crate::store::change_event::{Placed, place};

/// The longest line, in bytes.
const LONGEST_LINE: usize = 256 << 10;
/// Names one event may have of each kind.
const MOST_NAMES: usize = 1_000;
/// The longest name of a file or a resource.
const LONGEST_NAME: usize = 1_000;

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    object::routes::<ChangeEvent>().routes(routes!(add_change_events))
}

object! {
    /// Something that happened outside: what findings are correlated with.
    ChangeEvent (ChangeEventIn, ChangeEventOut) {
        word: "change_event", plural: "change events", path: "/change-events",
        table: "countersign.change_events", tag: "findings", verbs: Read,
        id: ChangeEventId, read: ReadFindings, write: WriteFindings,
        example: {}
    }
    given {}
    kept {
        /// `git_commit`, `deployment`, `audit_event`, `incident_ticket`, `incident`, `maintenance`
        /// or `security_event`.
        kind: String => Text.filter();
        /// When it happened or began.
        occurred_at: Timestamp => Time.filter().sort();
        /// When it ended.
        ended_at: Option<Timestamp> => Time;
        /// Where it is from.
        external_system: String => Text.filter();
        /// What it is called there.
        external_id: String => Text.filter();
        /// Who did it, as its system calls them.
        actor: Option<String> => Text.filter();
        /// In words.
        summary: String => Text.search();
        /// The service it is about.
        service: Option<String> => Text.filter();
        /// How bad it is.
        severity: Option<String> => Text.filter();
        /// The environment it is about.
        #[schema(value_type = Option<String>)]
        environment_id: Option<EnvironmentId> => Id.filter();
        /// Files it touched.
        paths: Vec<String> => Texts;
        /// Resources, as their declarations call them.
        addresses: Vec<String> => Texts;
        /// Resources, as their provider calls them.
        resources: Vec<String> => Texts;
        /// Ids that may be found elsewhere.
        shared_ids: Vec<String> => Texts;
        /// What else is known.
        #[schema(value_type = Object)]
        data: Value => Json;
        /// When it was told.
        created_at: Timestamp => Time.filter().age();
        /// When it was told otherwise last.
        updated_at: Timestamp => Time.filter();
    }
    check(_wanted) { Ok(()) }
}

/// Something that happened outside.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "kind": "audit_event", "occurred_at": "2026-03-01T10:00:00Z",
    "external_system": "cloudtrail", "external_id": "8f1c2d9e",
    "actor": "arn:aws:iam::123456789012:user/ada", "summary": "AuthorizeSecurityGroupIngress",
    "resources": ["sg-0a1b2c"], "data": {"user_agent": "console.amazonaws.com"}
}))]
pub(super) struct HappenedIn {
    /// What: `git_commit`, `deployment`, `audit_event`, `incident_ticket`, `incident`,
    /// `maintenance` or `security_event`.
    #[schema(value_type = String)]
    kind: ChangeKind,
    /// When it happened or began.
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// When it ended; of an incident or a maintenance without one: it lasts.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// Where it is from.
    #[schema(min_length = 1, max_length = 50)]
    external_system: String,
    /// What it is called there; the same again is the same event.
    #[schema(min_length = 1, max_length = 255)]
    external_id: String,
    /// Who did it, as its system calls them.
    #[schema(max_length = 500)]
    actor: Option<String>,
    /// In words: the message of a commit, the title of a ticket.
    #[serde(default)]
    #[schema(max_length = 20000)]
    summary: String,
    /// The service it is about.
    #[schema(max_length = 255)]
    service: Option<String>,
    /// How bad it is: `low`, `medium`, `high` or `critical`.
    #[schema(value_type = Option<String>)]
    severity: Option<Severity>,
    /// The environment it is about; any when absent.
    #[schema(value_type = Option<String>)]
    environment_id: Option<EnvironmentId>,
    /// Files it touched.
    #[serde(default)]
    paths: Vec<String>,
    /// Resources, as their declarations call them.
    #[serde(default)]
    addresses: Vec<String>,
    /// Resources, as their provider calls them.
    #[serde(default)]
    resources: Vec<String>,
    /// Ids that may be found elsewhere: a trace, a change, a ticket.
    #[serde(default)]
    shared_ids: Vec<String>,
    /// What else is known. Of a call: `actor_type`, `role`, `user_agent`, `mfa`, `read_only`,
    /// `error`. What is named like a secret is left out.
    #[serde(default = "nothing")]
    #[schema(value_type = Object)]
    data: Value,
}

fn nothing() -> Value {
    json!({})
}

impl HappenedIn {
    /// Checked, and without secrets.
    pub(super) fn happened(self) -> Answer<Happened> {
        sized("/external_system", &self.external_system, 1..=50)?;
        sized("/external_id", &self.external_id, 1..=255)?;
        sized("/summary", &self.summary, 0..=20_000)?;
        for (path, text, longest) in
            [("/actor", &self.actor, 500), ("/service", &self.service, 255)]
        {
            text.as_deref().map_or(Ok(()), |text| sized(path, text, 1..=longest))?;
        }
        for (path, names) in [
            ("/paths", &self.paths),
            ("/addresses", &self.addresses),
            ("/resources", &self.resources),
            ("/shared_ids", &self.shared_ids),
        ] {
            if names.len() > MOST_NAMES {
                let message = format!("may have at most {MOST_NAMES} entries");
                return Err(Problem::invalid(path, "length", message));
            }
            for (at, name) in names.iter().enumerate() {
                sized(&format!("{path}/{at}"), name, 1..=LONGEST_NAME)?;
            }
        }
        if self.ended_at.is_some_and(|ended| ended < self.occurred_at) {
            return Err(Problem::invalid("/ended_at", "order", "must not be before occurred_at"));
        }
        api::check::object("/data", &self.data)?;
        Ok(Happened {
            kind: self.kind,
            occurred_at: self.occurred_at,
            ended_at: self.ended_at,
            external_system: self.external_system,
            external_id: self.external_id,
            actor: self.actor,
            summary: self.summary,
            service: self.service,
            severity: self.severity,
            environment_id: self.environment_id,
            paths: self.paths,
            addresses: self.addresses,
            resources: self.resources,
            shared_ids: self.shared_ids,
            data: without_secrets(self.data),
        })
    }
}

/// Tell what happened outside, a line of JSON each (NDJSON).
///
/// An event is known by its kind, system and id: told again it is no second one, and told otherwise
/// it is as it was told last. Lines that are refused keep no other from being kept.
#[utoipa::path(post, path = "/change-events", tag = "findings",
    request_body(content = HappenedIn, content_type = "application/x-ndjson",
        description = "One of these in each line"),
    responses((status = 200, body = ImportOut), (status = "4XX", body = Problem)))]
async fn add_change_events(
    State(app): State<App>,
    caller: Can<WriteFindings>,
    request: Request,
) -> Answer<Json<ImportOut>> {
    let caller: Arc<Caller> = Arc::new((*caller).clone());
    let (parts, body) = request.into_parts();
    let mut lines = Lines::of(&parts.headers, body, LONGEST_LINE)?;
    let mut refused = Refused::default();
    // One after another: writers of a tenant take turns anyway.
    let mut keeping: Keeping<()> = Keeping::new(1);
    let fed: Answer<()> = async {
        while let Some(batch) = lines.batch::<HappenedIn>(&mut refused).await? {
            let mut good = Vec::with_capacity(batch.len());
            for (line, told) in batch {
                match told.happened() {
                    Ok(happened) => good.push((line, happened)),
                    Err(problem) => refused.add(line, problem),
                }
            }
            let (app, caller) = (app.clone(), Arc::clone(&caller));
            keeping.add(BTreeSet::new(), async move { keep(&app, &caller, good).await }).await?;
        }
        Ok(())
    }
    .await;
    let kept = keeping.done().await;
    fed?;
    Ok(Json(ImportOut::of(lines.read(), kept?, refused)))
}

/// Keeps a batch. One that the database refuses as a whole is kept line by line, so that the line
/// at fault is named and the others are kept.
async fn keep(app: &App, caller: &Caller, good: Vec<(u64, Happened)>) -> Answer<Kept> {
    let mut kept = Kept::default();
    if good.is_empty() {
        return Ok(kept);
    }
    let batch: Vec<Happened> = good.iter().map(|(_, one)| one.clone()).collect();
    match commit(app, caller, &batch).await {
        Ok(placed) => {
            return Ok(Kept { new: placed.new, all: good.len() as u64, ..kept });
        }
        Err(problem) if problem.status < 500 => {}
        Err(problem) => return Err(problem),
    }
    for (line, one) in good {
        match commit(app, caller, &[one]).await {
            Ok(placed) => {
                kept.new += placed.new;
                kept.all += 1;
            }
            Err(problem) if problem.status < 500 => kept.refused.add(line, problem),
            Err(problem) => return Err(problem),
        }
    }
    Ok(kept)
}

async fn commit(app: &App, caller: &Caller, batch: &[Happened]) -> Answer<Placed> {
    let mut change = Change::begin(app, caller).await?;
    let placed = answer("change event", place(&mut change, batch).await)?;
    if placed == Placed::default() {
        return Ok(placed);
    }
    let systems: BTreeSet<&str> = batch.iter().map(|one| one.external_system.as_str()).collect();
    let systems: Vec<&str> = systems.into_iter().take(20).collect();
    let first = batch.first().map(|one| one.external_id.clone()).unwrap_or_default();
    let event = change
        .event("change_event.told", "change_event", &first)
        .with("new", placed.new)
        .with("changed", placed.changed)
        .with("systems", json!(systems));
    change.commit(event).await?;
    Ok(placed)
}
