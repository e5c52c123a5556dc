//! Writes what is said of findings: each table at once, a column an array. As one document the same
//! rows would be read twice, once as a whole and once value by value.

use db::{Error, TenantTx};
use model::id::{CauseId, ContextId, CorrelationId, RecommendationId, ResourceId};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Belonging, ToSay};
use crate::drift::cause::Explained;
use crate::drift::correlate::Rules;
use crate::drift::correlate::context::{Context, Impact};
use crate::drift::recommend::{Kind, Recommendation};
use crate::drift::{features, shown};

/// Says it: takes the place of what this program said before.
///
/// # Errors
/// When the database fails.
pub async fn say(tx: &mut TenantTx, all: &[ToSay]) -> Result<(), Error> {
    if all.is_empty() {
        return Ok(());
    }
    let findings: Vec<Uuid> = all.iter().map(|one| one.finding.uuid()).collect();
    causes(tx, all, &findings).await?;
    correlations(tx, all, &findings).await?;
    contexts(tx, all, &findings).await?;
    recommendations(tx, all, &findings).await
}

/// The version of the rules things are found to belong by.
fn rules() -> i32 {
    i32::try_from(Rules::shipped().version).unwrap_or(i32::MAX)
}

async fn causes(tx: &mut TenantTx, all: &[ToSay], findings: &[Uuid]) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    let why = |one: fn(&Explained) -> &str| -> Vec<&str> {
        all.iter().map(|said| one(&said.explained)).collect()
    };
    // What is no number is nothing, and no zero is negative: as JSON has it.
    let numbers = |one: &ToSay| {
        let number = |value: &f64| value.is_finite().then_some(*value + 0.0);
        one.features.iter().map(number).collect::<Vec<_>>()
    };
    sqlx::query(include_str!("causes.sql"))
        .bind(tenant)
        .bind(all.iter().map(|_| CauseId::generate().uuid()).collect::<Vec<_>>())
        .bind(findings)
        .bind(why(|explained| explained.cause.word()))
        .bind(all.iter().map(|one| one.explained.confidence).collect::<Vec<_>>())
        .bind(why(|explained| &explained.analysis))
        .bind(documents(all, |one| &one.explained.contributing_factors))
        .bind(documents(all, |one| &one.explained.temporal_context))
        .bind(documents(all, |one| &one.explained.user_attribution))
        .bind(all.iter().map(|one| Json(decided(&one.explained))).collect::<Vec<_>>())
        .bind(all.iter().map(|one| one.of.as_bytes().as_slice()).collect::<Vec<_>>())
        .bind(all.iter().map(|one| one.told.as_bytes().as_slice()).collect::<Vec<_>>())
        .bind(i32::try_from(features::VERSION).unwrap_or(i32::MAX))
        .bind(all.iter().flat_map(numbers).collect::<Vec<Option<f64>>>())
        .bind(i32::try_from(features::COUNT).unwrap_or(i32::MAX))
        .execute(tx.conn())
        .await?;
    Ok(())
}

fn documents<'a, T>(all: &'a [ToSay], one: fn(&'a ToSay) -> &'a T) -> Vec<Json<&'a T>> {
    all.iter().map(|said| Json(one(said))).collect()
}

/// Who decided, and how likely each cause is beside what was said.
fn decided(explained: &Explained) -> Value {
    let mut decided = json!(explained.decided_by);
    if let Some(decided) = decided.as_object_mut() {
        decided.insert("likeliest".to_owned(), json!(explained.likeliest));
        decided.insert("posteriors".to_owned(), json!(explained.posteriors));
    }
    decided
}

async fn correlations(tx: &mut TenantTx, all: &[ToSay], findings: &[Uuid]) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    let of: Vec<(Uuid, &Belonging)> = all
        .iter()
        .flat_map(|one| one.belonging.iter().map(|event| (one.finding.uuid(), event)))
        .collect();
    sqlx::query(include_str!("correlations.sql"))
        .bind(tenant)
        .bind(findings)
        .bind(rules())
        .bind(of.iter().map(|_| CorrelationId::generate().uuid()).collect::<Vec<_>>())
        .bind(of.iter().map(|(finding, _)| *finding).collect::<Vec<_>>())
        .bind(of.iter().map(|(_, event)| event.kind).collect::<Vec<_>>())
        .bind(of.iter().map(|(_, event)| event.id.as_str()).collect::<Vec<_>>())
        .bind(of.iter().map(|(_, event)| event.system.as_str()).collect::<Vec<_>>())
        .bind(of.iter().map(|(_, event)| Json(&event.data)).collect::<Vec<_>>())
        .bind(of.iter().map(|(_, event)| event.score).collect::<Vec<_>>())
        .bind(of.iter().map(|(_, event)| event.offset_seconds).collect::<Vec<_>>())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// A count of microseconds as a number of seconds.
fn seconds(micros: i64) -> f64 {
    jiff::SignedDuration::from_micros(micros).as_secs_f64()
}

async fn contexts(tx: &mut TenantTx, all: &[ToSay], findings: &[Uuid]) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    let of: Vec<(Uuid, &Context)> = all
        .iter()
        .flat_map(|one| one.context.iter().map(|context| (one.finding.uuid(), context)))
        .collect();
    let impacts = of.iter().map(|(_, context)| context.incident_impact.map(Impact::word));
    sqlx::query(include_str!("context.sql"))
        .bind(tenant)
        .bind(findings)
        .bind(rules())
        .bind(of.iter().map(|_| ContextId::generate().uuid()).collect::<Vec<_>>())
        .bind(of.iter().map(|(finding, _)| *finding).collect::<Vec<_>>())
        .bind(of.iter().map(|(_, context)| context.context_type.word()).collect::<Vec<_>>())
        .bind(of.iter().map(|(_, context)| Json(&context.context_data)).collect::<Vec<_>>())
        .bind(impacts.collect::<Vec<_>>())
        .bind(of.iter().map(|(_, one)| seconds(one.time_window_micros)).collect::<Vec<_>>())
        .execute(tx.conn())
        .await?;
    Ok(())
}

async fn recommendations(tx: &mut TenantTx, all: &[ToSay], findings: &[Uuid]) -> Result<(), Error> {
    let tenant = tx.tenant().uuid();
    let words = |one: fn(&Recommendation) -> &str| -> Vec<&str> {
        all.iter().map(|said| one(&said.advice)).collect()
    };
    let hours = |one: &ToSay| i32::try_from(one.advice.expires_after_hours).unwrap_or(i32::MAX);
    sqlx::query(include_str!("recommendations.sql"))
        .bind(tenant)
        .bind(findings)
        .bind(all.iter().map(|_| RecommendationId::generate().uuid()).collect::<Vec<_>>())
        .bind(all.iter().map(|one| one.resource.map(ResourceId::uuid)).collect::<Vec<_>>())
        .bind(words(|advice| &advice.rule))
        .bind(words(|advice| advice.recommendation_type.word()))
        .bind(words(|advice| advice.priority.word()))
        .bind(all.iter().map(|one| one.severity.word()).collect::<Vec<_>>())
        .bind(all.iter().map(title).collect::<Vec<_>>())
        .bind(words(|advice| &advice.rationale))
        .bind(documents(all, |one| &one.advice.implementation_steps))
        .bind(documents(all, |one| &one.advice.risk_assessment))
        .bind(all.iter().map(|one| one.advice.confidence).collect::<Vec<_>>())
        .bind(words(|advice| advice.estimated_effort.word()))
        .bind(words(|advice| advice.recommended_by.word()))
        .bind(all.iter().map(hours).collect::<Vec<_>>())
        .execute(tx.conn())
        .await?;
    Ok(())
}

fn title(one: &ToSay) -> String {
    let what = match one.advice.recommendation_type {
        Kind::AutoRevert => "make it as it is declared",
        Kind::CodifyIac => "declare it as it is",
        Kind::EscalateReview => "have those decide who answer for it",
        Kind::AcceptException => "leave it until its exception ends",
        Kind::ManualReview => "have somebody look",
    };
    format!("{}: {what}", shown(&one.subject))
}
