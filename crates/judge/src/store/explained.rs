//! What is said of findings: why, what belongs to them, what to do. Written in batches; whatever others
//! said stays.

use std::collections::BTreeMap;

use db::{Error, TenantTx};
use model::Digest;
use model::id::{ActorId, FindingId, ResourceId};
use model::level::Severity;
use serde_json::{Value, json};
use sqlx::FromRow;
use uuid::Uuid;

use crate::drift::cause::Explained;
use crate::drift::correlate::Correlation;
use crate::drift::correlate::context::Context;
use crate::drift::recommend::{Kind, Outcomes, Recommendation};
use crate::drift::{Cause, shown};

mod label;
mod say;

pub use label::{Labelled, label};
pub use say::say;

/// What was said of a finding so far.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// Of which drift, and by whom it was decided, as a hash.
    pub of: Option<Digest>,
    /// What, as a hash.
    pub told: Option<Digest>,
    /// A person's label.
    pub label: Option<(Cause, ActorId)>,
    /// An approved exception.
    pub exception: Option<String>,
    /// Whether there is advice of ours that holds, or that somebody took up.
    pub advised: bool,
}

#[derive(FromRow)]
struct SaidRow {
    id: Uuid,
    explained_of: Option<Vec<u8>>,
    explained_as: Option<Vec<u8>>,
    cause_category: Option<String>,
    labelled_by: Option<Uuid>,
    exception: Option<Uuid>,
    advised: bool,
}

/// What was said of each of these findings; nobody says anything else until this transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn said(
    tx: &mut TenantTx,
    findings: &[FindingId],
) -> Result<BTreeMap<FindingId, Said>, Error> {
    let tenant = tx.tenant().uuid();
    let ids: Vec<Uuid> = findings.iter().map(|id| id.uuid()).collect();
    // First the lock, then the look. In the order in which a scan writes them, so that the two wait
    // for each other and never both for ever.
    sqlx::query(
        "SELECT 1 FROM countersign.findings
         WHERE tenant_id = $1 AND id = ANY ($2)
         ORDER BY kind, fingerprint, began_at
         FOR NO KEY UPDATE",
    )
    .bind(tenant)
    .bind(&ids)
    .execute(tx.conn())
    .await?;
    let rows: Vec<SaidRow> = sqlx::query_as(include_str!("explained/said.sql"))
        .bind(tenant)
        .bind(&ids)
        .fetch_all(tx.conn())
        .await?;
    let digest = |bytes: Option<Vec<u8>>| Digest::try_from(bytes?.as_slice()).ok();
    rows.into_iter()
        .map(|row| {
            let label = match (row.labelled_by, row.cause_category) {
                (Some(by), Some(cause)) => {
                    Some((cause.parse().map_err(Error::internal)?, ActorId::from(by)))
                }
                _ => None,
            };
            let said = Said {
                of: digest(row.explained_of),
                told: digest(row.explained_as),
                label,
                exception: row.exception.map(|id| model::id::ExceptionId::from(id).to_string()),
                advised: row.advised,
            };
            Ok((row.id.into(), said))
        })
        .collect()
}

/// How recommendations of each kind turned out in this tenant: whether the drift was gone after one
/// was carried out.
///
/// # Errors
/// When the database fails.
pub async fn outcomes(tx: &mut TenantTx) -> Result<BTreeMap<Kind, Outcomes>, Error> {
    let tenant = tx.tenant().uuid();
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT r.recommendation_type, count(*) FILTER (WHERE f.status = 'fixed'),
           count(*) FILTER (WHERE f.status <> 'fixed')
         FROM countersign.recommendations r
         JOIN countersign.findings f ON f.tenant_id = r.tenant_id AND f.id = r.finding_id
         WHERE r.tenant_id = $1 AND r.kind = 'drift' AND r.implemented_at IS NOT NULL
         GROUP BY r.recommendation_type",
    )
    .bind(tenant)
    .fetch_all(tx.conn())
    .await?;
    let count = |rows: i64| u32::try_from(rows).unwrap_or(u32::MAX);
    rows.into_iter()
        .map(|(kind, good, bad)| {
            let outcomes = Outcomes { succeeded: count(good), failed: count(bad) };
            Ok((kind.parse().map_err(Error::internal)?, outcomes))
        })
        .collect()
}

/// An event that belongs to a finding, as it is kept.
#[derive(Debug, Clone)]
pub struct Belonging {
    kind: &'static str,
    system: String,
    id: String,
    score: f64,
    offset_seconds: f64,
    data: Value,
}

impl Belonging {
    /// A correlation, with a line of what its system says of the event.
    #[must_use]
    pub fn of(one: &Correlation<'_>, text: &str, actor: Option<&str>) -> Self {
        let event = one.event;
        let data = json!({
            "at": event.at, "until": event.until, "during": one.during, "matched": one.matched,
            "severity": event.severity, "summary": shown(text.lines().next().unwrap_or_default()),
            "actor": actor.map(shown),
        });
        Self {
            kind: event.kind.word(),
            system: event.system.clone(),
            id: event.id.clone(),
            score: one.score,
            offset_seconds: offset_seconds(one),
            data,
        }
    }

    /// What tells a correlation from others, for a hash.
    #[must_use]
    pub fn name(one: &Correlation<'_>) -> Value {
        let event = one.event;
        json!([event.kind.word(), event.system, event.id, one.score, offset_seconds(one)])
    }
}

fn offset_seconds(one: &Correlation<'_>) -> f64 {
    one.minutes() * 60.0
}

/// What is to be said of a finding.
#[derive(Debug, Clone)]
pub struct ToSay {
    /// Which.
    pub finding: FindingId,
    /// The resource of the estate it is about.
    pub resource: Option<ResourceId>,
    /// What the resource is called.
    pub subject: String,
    /// How bad it is.
    pub severity: Severity,
    /// Why.
    pub explained: Explained,
    /// What was known around it in numbers.
    pub features: Vec<f64>,
    /// What belongs to it.
    pub belonging: Vec<Belonging>,
    /// What was going on.
    pub context: Vec<Context>,
    /// What to do.
    pub advice: Recommendation,
    /// The drift and whoever decides, as a hash.
    pub of: Digest,
    /// All of this, as a hash.
    pub told: Digest,
}
