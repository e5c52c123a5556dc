//! What templates and conditions can see, and which of it comes from outside.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::value::Value;
use model::finding::Alert;
use serde_json::{Map, Value as Json};

use super::Runbook;
use super::compile::Candidate;
use super::expression::Expression;
use super::template::{self, RenderError};

/// What an alert shows.
pub(crate) const ALERT_FIELDS: &[&str] = &[
    "name",
    "severity",
    "severity_raw",
    "instance",
    "job",
    "source",
    "status",
    "fingerprint",
    "starts_at",
    "labels",
    "annotations",
];

/// What a server shows.
pub(crate) const SERVER_FIELDS: &[&str] = &[
    "name",
    "hostname",
    "host",
    "ip",
    "os_type",
    "environment",
    "environment_class",
    "username",
    "port",
    "tags",
    "groups",
];

/// What the runbook shows.
pub(crate) const RUNBOOK_FIELDS: &[&str] = &["name", "category", "description", "version"];

/// What a finished step shows.
pub(crate) const STEP_FIELDS: &[&str] = &["stdout", "stderr", "exit_code", "success"];

/// What the execution shows.
pub(crate) const EXECUTION_FIELDS: &[&str] = &["id", "mode"];

/// Names a variable of a runbook's may not take.
pub(crate) const ROOTS: &[&str] = &["alert", "server", "runbook", "env", "execution", "steps"];

/// The name a step goes by in `steps.<name>`: lower case, `_` for everything else.
pub(crate) fn alias(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}

/// The step somebody means: by its name, or by its alias.
pub(crate) fn step_named<'a>(steps: &[&'a str], wanted: &str) -> Option<&'a str> {
    let exact = steps.iter().find(|name| **name == wanted);
    exact.or_else(|| steps.iter().find(|name| alias(name) == wanted)).copied()
}

/// The variables of one target.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    json: Map<String, Json>,
    /// Variables of the runbook's whose value comes from outside.
    outside: BTreeSet<String>,
    /// The runbook's variables, rendered.
    pub(crate) environment: BTreeMap<String, String>,
}

/// A variable of the runbook's that has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VariableError {
    pub(crate) name: String,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Context {
    /// The variables of a target. `given` are values from whoever asked, for variables the runbook
    /// has; they count as from outside.
    pub(crate) fn of(
        runbook: &Runbook,
        version: u32,
        target: &Candidate,
        alert: Option<&Alert>,
        given: &BTreeMap<String, String>,
    ) -> Result<Self, VariableError> {
        let mut json = Map::new();
        if let Some(alert) = alert {
            json.insert("alert".to_owned(), alert_values(alert));
        }
        json.insert("server".to_owned(), server_values(target));
        let mut context = Self { json, outside: BTreeSet::new(), environment: BTreeMap::new() };
        let unknown = given.keys().find(|name| !runbook.environment_vars.contains_key(*name));
        if let Some(name) = unknown {
            return Err(VariableError {
                name: name.clone(),
                code: "unknown_variable",
                message: format!("the runbook has no variable {name}"),
            });
        }
        // Rendered from alert and server only, so that no order among them matters (decision 6).
        let rendered: Vec<(String, String, bool)> = runbook
            .environment_vars
            .iter()
            .map(|(name, source)| match given.get(name) {
                Some(value) => Ok((name.clone(), value.clone(), true)),
                None => context.variable(name, source),
            })
            .collect::<Result<_, _>>()?;
        for (name, value, tainted) in rendered {
            if tainted {
                context.outside.insert(name.clone());
            }
            context.json.insert(name.clone(), Json::from(value.clone()));
            context.environment.insert(name, value);
        }
        let environment: Map<String, Json> = context
            .environment
            .iter()
            .map(|(name, value)| (name.clone(), Json::from(value.clone())))
            .collect();
        context.json.insert("env".to_owned(), Json::Object(environment));
        context.json.insert("runbook".to_owned(), runbook_values(runbook, version));
        Ok(context)
    }

    fn variable(&self, name: &str, source: &str) -> Result<(String, String, bool), VariableError> {
        let failed = |code: &'static str, message: String| VariableError {
            name: name.to_owned(),
            code,
            message,
        };
        let pieces = template::parse(source).map_err(|faults| {
            let first = faults.into_iter().next();
            first.map_or_else(
                || failed("expression_syntax", "it cannot be read".to_owned()),
                |fault| failed(fault.code, fault.message),
            )
        })?;
        let value = template::plain(&pieces, self)
            .map_err(|RenderError { code, message, .. }| failed(code, message))?;
        let tainted = pieces.iter().any(|piece| match piece {
            template::Piece::Text { .. } => false,
            template::Piece::Placeholder { expression, .. } => self.tainted(expression),
        });
        Ok((name.to_owned(), value, tainted))
    }

    /// Whether a value an expression gives comes from outside.
    pub(crate) fn tainted(&self, expression: &Expression) -> bool {
        expression.references.iter().any(|reference| match reference.root() {
            "server" | "runbook" => false,
            // A literal subscript names the variable; without one any of them may be read.
            "env" => match reference.parts.get(1) {
                Some(name) if !reference.open => self.outside.contains(name),
                _ => !self.outside.is_empty(),
            },
            root if self.environment.contains_key(root) => self.outside.contains(root),
            _ => true,
        })
    }

    pub(crate) fn tainted_variable(&self, name: &str) -> bool {
        self.outside.contains(name)
    }

    /// The values for the engine.
    pub(crate) fn values(&self) -> BTreeMap<String, Value> {
        self.json.iter().map(|(name, value)| (name.clone(), engine_value(value))).collect()
    }

    /// The values under these roots, for the plan.
    pub(crate) fn under(&self, roots: &BTreeSet<String>) -> Json {
        let kept = self.json.iter().filter(|(name, _)| roots.contains(*name));
        Json::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }
}

/// A JSON value as the engine holds it.
pub(crate) fn engine_value(value: &Json) -> Value {
    match value {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Value::from(integer),
            None => Value::from(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::from(items.iter().map(engine_value).collect::<Vec<_>>()),
        Json::Object(map) => Value::from(
            map.iter()
                .map(|(key, value)| (key.clone(), engine_value(value)))
                .collect::<BTreeMap<_, _>>(),
        ),
    }
}

fn texts<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> Map<String, Json> {
    pairs.into_iter().map(|(name, text)| (name.to_owned(), Json::from(text))).collect()
}

fn alert_values(alert: &Alert) -> Json {
    let mut values = texts([
        ("name", alert.name.clone()),
        ("severity", alert.severity.word().to_owned()),
        ("severity_raw", alert.severity_raw.clone()),
        ("instance", alert.instance.clone()),
        ("job", alert.job.clone()),
        ("source", alert.source.clone()),
        ("status", alert.status.word().to_owned()),
        ("fingerprint", alert.fingerprint.clone()),
        ("starts_at", alert.starts_at.to_string()),
    ]);
    let map = |pairs: &BTreeMap<String, String>| {
        Json::Object(pairs.iter().map(|(k, v)| (k.clone(), Json::from(v.clone()))).collect())
    };
    values.insert("labels".to_owned(), map(&alert.labels));
    values.insert("annotations".to_owned(), map(&alert.annotations));
    Json::Object(values)
}

fn server_values(candidate: &Candidate) -> Json {
    let (target, facts) = (&candidate.target, &candidate.facts);
    let mut values = texts([
        ("name", target.name.clone()),
        ("hostname", facts.hostname.clone()),
        ("host", target.host.clone()),
        ("ip", facts.ip.clone()),
        ("os_type", facts.os.word().to_owned()),
        ("environment", facts.environment.clone()),
        ("environment_class", target.environment.word().to_owned()),
        ("username", target.username.clone()),
        ("port", target.port.to_string()),
    ]);
    values.insert("tags".to_owned(), Json::from(facts.tags.clone()));
    values.insert("groups".to_owned(), Json::from(facts.groups.clone()));
    Json::Object(values)
}

fn runbook_values(runbook: &Runbook, version: u32) -> Json {
    Json::Object(texts([
        ("name", runbook.name.clone()),
        ("category", runbook.category.clone().unwrap_or_default()),
        ("description", runbook.description.clone().unwrap_or_default()),
        ("version", version.to_string()),
    ]))
}
