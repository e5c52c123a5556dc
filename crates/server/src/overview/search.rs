//! Search across kinds: for whoever knows a word, and not what kind of thing it belongs to.

use api::permission::{self, Permission, ReadEstate};
use api::problem::Answer;
use api::{App, Can, Problem};
use axum::Json;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::store;

/// The longest text that is searched for, in characters.
const LONGEST: usize = 200;
/// Found of each kind when nobody says how many.
const USUAL: i64 = 5;
/// Found of each kind at most.
const MOST: i64 = 20;

/// A kind that is searched: names of tables and columns are constants of this program.
#[derive(Debug)]
pub(super) struct Kind {
    /// What it is called in answers and in `kind`.
    pub(super) word: &'static str,
    /// Below the API's prefix.
    path: &'static str,
    /// The prefix of its ids.
    prefix: &'static str,
    pub(super) table: &'static str,
    /// What is shown first.
    pub(super) title: &'static str,
    /// What is shown beside it.
    pub(super) detail: &'static str,
    /// Where is looked besides the title.
    pub(super) also: &'static [&'static str],
    /// How the title is looked through by an index.
    pub(super) indexed: Option<Indexed>,
    /// What is needed to see it, and who has that.
    permission: &'static str,
    roles: &'static [model::actor::Role],
}

/// What is found by an index.
#[derive(Debug)]
pub(super) struct Indexed {
    /// The function that gives ids for a pattern, and at most how many.
    pub(super) function: &'static str,
    /// What names one of them outside is the text `$2`, whole.
    pub(super) known_by: &'static str,
}

/// In the order in which they are shown.
const KINDS: [Kind; 8] = [
    Kind {
        word: "finding",
        path: "/findings",
        prefix: "fnd",
        table: "countersign.findings",
        title: "o.title",
        detail: "o.kind || ', ' || o.severity || ', ' || o.status",
        also: &[],
        indexed: Some(Indexed {
            function: "countersign.findings_like",
            // By the unique key, which has the kind before.
            known_by: "o.kind IN ('alert', 'drift', 'violation', 'cost', 'exposure')
                       AND o.fingerprint = $2",
        }),
        permission: permission::ReadFindings::NAME,
        roles: permission::ReadFindings::ROLES,
    },
    Kind {
        word: "resource",
        path: "/resources",
        prefix: "res",
        table: "countersign.resources",
        title: "o.name",
        detail: "o.provider || ' ' || o.kind",
        also: &["o.external_id", "o.hostname", "o.owner_team"],
        indexed: None,
        permission: permission::ReadEstate::NAME,
        roles: permission::ReadEstate::ROLES,
    },
    Kind {
        word: "service",
        path: "/services",
        prefix: "svc",
        table: "countersign.services",
        title: "o.name",
        detail: "coalesce(o.owner_team, '')",
        also: &["o.owner_team"],
        indexed: None,
        permission: permission::ReadEstate::NAME,
        roles: permission::ReadEstate::ROLES,
    },
    Kind {
        word: "environment",
        path: "/environments",
        prefix: "env",
        table: "countersign.environments",
        title: "o.name",
        detail: "o.class",
        also: &["o.slug"],
        indexed: None,
        permission: permission::ReadEstate::NAME,
        roles: permission::ReadEstate::ROLES,
    },
    Kind {
        word: "runbook",
        path: "/runbooks",
        prefix: "rbk",
        table: "countersign.runbooks",
        title: "o.name",
        detail: "o.status",
        also: &["o.description"],
        indexed: None,
        permission: permission::ReadRunbooks::NAME,
        roles: permission::ReadRunbooks::ROLES,
    },
    Kind {
        word: "intent",
        path: "/intents",
        prefix: "int",
        table: "countersign.intents",
        title: "o.summary",
        detail: "o.intent_type || ', ' || o.status",
        also: &["o.deterministic_id"],
        indexed: None,
        permission: permission::ReadPlans::NAME,
        roles: permission::ReadPlans::ROLES,
    },
    Kind {
        word: "recommendation",
        path: "/recommendations",
        prefix: "rec",
        table: "countersign.recommendations",
        title: "o.title",
        detail: "o.priority || ', ' || o.status",
        also: &["o.description"],
        indexed: None,
        permission: permission::ReadFindings::NAME,
        roles: permission::ReadFindings::ROLES,
    },
    Kind {
        word: "provider_policy",
        path: "/provider-policies",
        prefix: "ppl",
        table: "countersign.policies",
        title: "o.name",
        detail: "o.provider || ', ' || o.status",
        also: &["o.external_id"],
        indexed: None,
        permission: permission::ReadPolicy::NAME,
        roles: permission::ReadPolicy::ROLES,
    },
];

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(search))
}

/// `?q=&kind=&limit=`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct SearchIn {
    /// A text that names, titles and ids hold, in either case; or an id.
    #[param(min_length = 1, max_length = 200, example = "web-1")]
    q: String,
    /// One kind alone.
    #[param(example = "resource")]
    kind: Option<String>,
    /// Of each kind: 1 to 20, 5 when absent.
    #[param(minimum = 1, maximum = 20)]
    limit: Option<i64>,
}

/// What is searched for, checked.
struct Wanted {
    text: String,
    kinds: Vec<&'static Kind>,
    limit: i64,
}

impl<S: Send + Sync> FromRequestParts<S> for Wanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(given) = Query::<SearchIn>::from_request_parts(parts, state)
            .await
            .map_err(|error| Problem::invalid("query", "shape", error.body_text()))?;
        api::check::sized("query.q", &given.q, 1..=LONGEST)?;
        if given.q.contains('\0') {
            return Err(Problem::invalid("query.q", "nul", "holds a NUL character"));
        }
        let limit = given.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            let message = format!("must be 1 to {MOST}");
            return Err(Problem::invalid("query.limit", "out_of_range", message));
        }
        let named = |kind: &&Kind| given.kind.as_ref().is_none_or(|word| kind.word == word);
        let kinds: Vec<&'static Kind> = KINDS.iter().filter(named).collect();
        if kinds.is_empty() {
            let known: Vec<&str> = KINDS.iter().map(|kind| kind.word).collect();
            let message = format!("can be one of {}", known.join(", "));
            return Err(Problem::invalid("query.kind", "unknown_word", message));
        }
        Ok(Self { text: given.q, kinds, limit })
    }
}

/// One thing found.
#[derive(Debug, Serialize, ToSchema)]
struct FoundOut {
    /// Its id.
    id: String,
    /// What it is called.
    title: String,
    /// What more there is to say in a line.
    detail: String,
    /// Where it is, below the API's prefix.
    path: String,
}

/// What was found of one kind, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct KindFoundOut {
    /// Which kind.
    #[schema(example = "resource")]
    kind: &'static str,
    /// What was found.
    items: Vec<FoundOut>,
    /// Whether there is more: the kind's own list has it.
    more: bool,
}

/// Search names, titles and ids of every kind there is to see.
#[utoipa::path(get, path = "/search", tag = "overview", params(SearchIn),
    responses((status = 200, body = Vec<KindFoundOut>), (status = "4XX", body = Problem)))]
async fn search(
    State(app): State<App>,
    caller: Can<ReadEstate>,
    wanted: Wanted,
) -> Answer<Json<Vec<KindFoundOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let mut all = Vec::new();
    for kind in wanted.kinds {
        if !permission::allows(&caller, kind.permission, kind.roles) {
            continue;
        }
        let mut items = store::search(&mut tx, kind, &wanted.text, wanted.limit + 1).await?;
        let most = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
        let more = items.len() > most;
        items.truncate(most);
        if items.is_empty() {
            continue;
        }
        let items = items.into_iter().map(|found| {
            let id = format!("{}_{}", kind.prefix, found.id);
            let path = format!("{}/{id}", kind.path);
            FoundOut { id, title: found.title, detail: found.detail, path }
        });
        all.push(KindFoundOut { kind: kind.word, items: items.collect(), more });
    }
    Ok(Json(all))
}
