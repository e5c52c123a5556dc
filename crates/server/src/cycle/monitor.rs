//! Monitor: once a day, how the model that decides does, by what people labelled, and whether it still
//! sees what it was deployed on.

use db::Db;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use judge::drift::{Cause, features};
use learn::store::performance::{self, Day};
use learn::store::registry;
use learn::training::dataset::{Dataset, Row};
use learn::training::metrics::{Metrics, metrics};
use learn::training::shift::{degraded, shifts};
use model::audit::{Event, Who};
use model::id::TenantId;
use serde_json::{Value, json};

use super::Error;
use super::explain::MODEL;

/// Versions whose files are kept (document 004).
const KEPT: i64 = 5;
/// The fewest rows of either side that are compared.
const ENOUGH: usize = 30;
/// The fewest labels of a day that say that accuracy fell: below, chance alone moves it further.
const ENOUGH_LABELS: usize = 30;

/// Tells yesterday, once.
pub(super) async fn models(db: &Db, tenant: TenantId) -> Result<(), Error> {
    let mut tx = db.tenant(tenant).await?;
    let yesterday = tx.now().await?.to_zoned(TimeZone::UTC).date().saturating_sub(1.days());
    let Some(active) = registry::active(&mut tx, MODEL).await? else { return Ok(()) };
    if performance::told(&mut tx, active.id, yesterday).await? {
        return Ok(());
    }
    drop(tx);
    day(db, tenant, yesterday).await
}

/// Tells a day of the model that decides; what was told of it before is replaced.
///
/// # Errors
/// When the database fails.
pub async fn day(db: &Db, tenant: TenantId, date: Date) -> Result<(), Error> {
    let mut tx = db.tenant(tenant).await?;
    let Some(active) = registry::active(&mut tx, MODEL).await? else { return Ok(()) };
    let labelled = performance::labelled(&mut tx, active.id, date).await?;
    let metrics = measured(&labelled);
    let before = performance::registered_accuracy(&mut tx, active.id).await?;
    let fell = match (&metrics, before) {
        (Some(now), Some(before)) if now.n >= ENOUGH_LABELS => Some(degraded(before, now.accuracy)),
        _ => None,
    };
    let (old, new) = performance::seen(&mut tx, active.id, date, features::VERSION).await?;
    let shifted = tokio::task::spawn_blocking(move || shifted(old, new)).await;
    let shifted = shifted.map_err(db::Error::internal)?;
    let told = Day { metrics, degraded: fell, shifted };
    performance::keep(&mut tx, active.id, date, &told).await?;
    if fell == Some(true) {
        let event = Event::new(Who::service(), "ml_model.degraded", "ml_model", &active.id)
            .with("date", date.to_string())
            .with("labels", labelled.len() as u64);
        tx.audit(&event).await?;
    }
    for id in performance::drop_files(&mut tx, MODEL, KEPT).await? {
        let event = Event::new(Who::service(), "ml_model.file_dropped", "ml_model", &id);
        tx.audit(&event).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// How it did on labels; those that no evidence speaks for say nothing of it.
fn measured(labelled: &[(Value, String)]) -> Option<Metrics> {
    let (mut said, mut truth) = (Vec::new(), Vec::new());
    for (posteriors, label) in labelled {
        let place = Cause::INFERRED.iter().position(|cause| cause.word() == label);
        let Some(place) = place else { continue };
        let of = |cause: &Cause| posteriors.get(cause.word()).and_then(Value::as_f64);
        said.push(Cause::INFERRED.iter().map(|one| of(one).unwrap_or_default()).collect());
        truth.push(place);
    }
    (!said.is_empty()).then(|| metrics(&said, &truth))
}

/// The features that changed; nothing where there is too little to compare.
fn shifted(before: Vec<Vec<f64>>, now: Vec<Vec<f64>>) -> Option<Value> {
    if before.len() < ENOUGH || now.len() < ENOUGH {
        return None;
    }
    let names: Vec<String> = features::names().map(str::to_owned).collect();
    let set = |rows: Vec<Vec<f64>>| {
        let rows = rows.into_iter().map(|values| Row::new(values, 0)).collect();
        Dataset::new(names.clone(), vec!["any".to_owned(), "other".to_owned()], rows).ok()
    };
    let mut all = shifts(&set(before)?, &set(now)?)?;
    all.retain(|one| one.shifted);
    Some(json!(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_measured_by_the_causes_evidence_can_speak_for() {
        let sure = |cause: &str| json!({cause: 0.9, "configuration_error": 0.1});
        let labelled = [
            (sure("emergency_fix"), "emergency_fix".to_owned()),
            (sure("emergency_fix"), "configuration_error".to_owned()),
            (sure("emergency_fix"), "intentional_override".to_owned()),
        ];
        let told = measured(&labelled).unwrap();
        assert_eq!((told.n, told.confusion_matrix[0][0], told.confusion_matrix[3][0]), (2, 1, 1));
        assert!(measured(&[]).is_none());
    }

    #[test]
    fn a_feature_that_moved_is_told_and_the_others_are_not() {
        let rows = |lift: f64| {
            let row = |n: u32| {
                let mut row = vec![f64::from(n % 7); features::COUNT];
                row[0] = f64::from(n % 5) + lift;
                row
            };
            (0..200).map(row).collect::<Vec<_>>()
        };
        let told = shifted(rows(0.0), rows(3.0)).unwrap();
        let names: Vec<&str> =
            told.as_array().unwrap().iter().filter_map(|one| one["feature"].as_str()).collect();
        assert_eq!(names, [features::names().next().unwrap()]);
        assert!(shifted(rows(0.0), Vec::new()).is_none());
    }
}
