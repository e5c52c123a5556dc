//! Learned models, what they said, how they do, and drift day by day.

use ::api::check::{document, object as an_object, share, sized};
use ::api::object;
use ::api::permission::{ReadFindings, ReadModels, WriteFindings, WriteModels};
use ::api::problem::Problem;
use jiff::civil::Date;
use model::Timestamp;
use model::id::{DriftDayId, EnvironmentId, FindingId, ModelId, PerformanceId, PredictionId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// What a model gives.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ModelType {
    /// One of several classes.
    Classification,
    /// A number.
    Regression,
    /// Groups.
    Clustering,
}

object! {
    /// A version of a learned model.
    Model (ModelIn, ModelOut) {
        word: "ml_model", plural: "ml models", path: "/models",
        table: "countersign.ml_models", tag: "learning", verbs: All,
        id: ModelId, read: ReadModels, write: WriteModels,
        known_by: [name, version],
        example: {
            "name": "drift-cause", "version": "3", "model_type": "classification",
            "framework": "gradient-boosting", "features": ["hour_sin", "commits_1h"],
            "target_classes": ["emergency_fix", "configuration_error"],
            "metrics": {
                "f1_macro": 0.82, "n": 2400, "seed": 7, "date": "2026-03-01",
                "split_id": "time-0.2-9f86d081884c7d65",
                "dataset_sha256":
                    "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
            },
            "trained_at": "2026-03-01T10:00:00Z",
            "metadata": {"rows": 12000}
        }
    }
    given {
        /// What it gives.
        model_type: ModelType => Text.filter();
        /// What it was made with.
        #[schema(min_length = 1, max_length = 50)]
        framework: String => Text.filter().sort();
        /// Where the model itself is kept.
        #[schema(max_length = 500)]
        artifact_path: Option<String> => Text;
        /// How it did when it was trained; with `dataset_sha256`, `split_id`, `n`, `seed` and `date`,
        /// without which a figure means nothing.
        #[serde(default = "nothing")]
        #[schema(value_type = Object)]
        metrics: Value => Json;
        /// When it was trained.
        trained_at: Timestamp => Time.filter().sort();
        /// Whatever else is known.
        #[serde(default = "nothing")]
        #[schema(value_type = Object)]
        metadata: Value => Json;
    }
    once {
        /// What it is called.
        #[schema(min_length = 1, max_length = 255)]
        name: String => Text.filter().sort().search();
        /// Which version, unique within the name.
        #[schema(min_length = 1, max_length = 50)]
        version: String => Text.filter().sort();
        /// What it looks at.
        #[schema(value_type = Vec<String>)]
        features: Value => Json;
        /// The classes it knows.
        #[schema(value_type = Option<Vec<String>>)]
        target_classes: Option<Value> => Json;
    }
    kept {
        /// Since when it decides; when it last began to, if it does no more.
        deployed_at: Option<Timestamp> => Time.filter();
        /// Whether it decides; of the versions of a name one at most. `POST …/activate` says so.
        is_active: bool => Boolean.filter();
        /// SHA-256 of its file, where that is kept here.
        artifact_sha256: Option<String> => Sha256;
        /// What it was compared with last, and how that ended.
        #[schema(value_type = Option<Object>)]
        comparison: Option<Value> => Json;
        /// When it was registered.
        created_at: Timestamp => Time.filter().age();
        /// When it was changed last.
        updated_at: Timestamp => Time.filter().sort();
    }
    check(wanted) {
        sized("/name", &wanted.name, 1..=255)?;
        sized("/version", &wanted.version, 1..=50)?;
        sized("/framework", &wanted.framework, 1..=50)?;
        wanted.artifact_path.as_deref().map_or(Ok(()), |path| sized("/artifact_path", path, 1..=500))?;
        words("/features", &wanted.features)?;
        wanted.target_classes.as_ref().map_or(Ok(()), |classes| words("/target_classes", classes))?;
        an_object("/metrics", &wanted.metrics)?;
        measured(&wanted.metrics)?;
        an_object("/metadata", &wanted.metadata)
    }
}

object! {
    /// What a model said about a finding.
    Prediction (PredictionIn, PredictionOut) {
        word: "ml_prediction", plural: "ml predictions", path: "/predictions",
        table: "countersign.ml_predictions", tag: "learning", verbs: Record,
        id: PredictionId, read: ReadModels, write: WriteModels,
        example: {
            "finding_id": "fnd_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "ml_model_id": "mdl_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "prediction_result": {"class": "emergency_fix", "confidence": 0.87},
            "prediction_metadata": {"commits_1h": 0.6}
        }
    }
    given {
        /// The finding.
        #[schema(value_type = String)]
        finding_id: FindingId => Id.filter();
        /// The model.
        #[schema(value_type = String)]
        ml_model_id: ModelId => Id.filter();
        /// What it said.
        #[schema(value_type = Object)]
        prediction_result: Value => Json;
        /// What that rests on.
        #[serde(default = "nothing")]
        #[schema(value_type = Object)]
        prediction_metadata: Value => Json;
    }
    kept {
        /// When.
        predicted_at: Timestamp => Time.filter().age();
    }
    check(wanted) {
        an_object("/prediction_result", &wanted.prediction_result)?;
        an_object("/prediction_metadata", &wanted.prediction_metadata)
    }
}

object! {
    /// How a model did on a day.
    Performance (PerformanceIn, PerformanceOut) {
        word: "model_performance", plural: "model performances", path: "/model-performance",
        table: "countersign.ml_performance_metrics", tag: "learning", verbs: All,
        id: PerformanceId, read: ReadModels, write: WriteModels,
        example: {
            "ml_model_id": "mdl_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "evaluation_date": "2026-03-01", "training_data_size": 12000, "accuracy": 0.87,
            "precision_macro": 0.85, "recall_macro": 0.81, "f1_score_macro": 0.83,
            "confusion_matrix": [[90, 10], [8, 92]], "feature_importance": {"commits_1h": 0.6},
            "cross_validation_scores": [0.86, 0.88]
        }
    }
    given {
        /// The model.
        #[schema(value_type = String)]
        ml_model_id: ModelId => Id.filter();
        /// The day.
        #[schema(value_type = String, format = Date)]
        evaluation_date: Date => Date.filter().sort();
        /// Rows it was trained on.
        #[schema(minimum = 0)]
        training_data_size: Option<i32> => Integer;
        /// Share of right answers.
        #[schema(minimum = 0, maximum = 1)]
        accuracy: Option<f64> => Number.filter();
        /// Mean precision of the classes.
        #[schema(minimum = 0, maximum = 1)]
        precision_macro: Option<f64> => Number.filter();
        /// Mean recall of the classes.
        #[schema(minimum = 0, maximum = 1)]
        recall_macro: Option<f64> => Number.filter();
        /// Mean F1 of the classes.
        #[schema(minimum = 0, maximum = 1)]
        f1_score_macro: Option<f64> => Number.filter();
        /// Rows: what it was; columns: what it was said to be.
        #[schema(value_type = Option<Vec<Vec<i64>>>)]
        confusion_matrix: Option<Value> => Json;
        /// How much each feature counts.
        #[schema(value_type = Option<Object>)]
        feature_importance: Option<Value> => Json;
        /// The scores of cross-validation.
        #[schema(value_type = Option<Vec<f64>>)]
        cross_validation_scores: Option<Value> => Json;
    }
    kept {
        /// How many findings of the day people labelled that the model had spoken about.
        labels: Option<i32> => Integer;
        /// Whether accuracy fell by more than .05 since it was trained.
        degraded: Option<bool> => Boolean.filter();
        /// The features that changed since its first week, with how.
        #[schema(value_type = Option<Vec<Object>>)]
        shifted_features: Option<Value> => Json;
        /// When it was added.
        created_at: Timestamp => Time.filter().age();
    }
    check(wanted) {
        let shares = [
            ("/accuracy", wanted.accuracy),
            ("/precision_macro", wanted.precision_macro),
            ("/recall_macro", wanted.recall_macro),
            ("/f1_score_macro", wanted.f1_score_macro),
        ];
        for (path, value) in shares {
            share(path, value)?;
        }
        if wanted.training_data_size.is_some_and(|rows| rows < 0) {
            let message = "must not be negative";
            return Err(Problem::invalid("/training_data_size", "out_of_range", message));
        }
        let documents = [
            ("/confusion_matrix", &wanted.confusion_matrix),
            ("/cross_validation_scores", &wanted.cross_validation_scores),
        ];
        for (path, value) in documents {
            let Some(value) = value else { continue };
            if !value.is_array() {
                return Err(Problem::invalid(path, "shape", "must be a list"));
            }
            document(path, value)?;
        }
        wanted
            .feature_importance
            .as_ref()
            .map_or(Ok(()), |value| an_object("/feature_importance", value))
    }
}

object! {
    /// Drift of an environment on a day.
    DriftDay (DriftDayIn, DriftDayOut) {
        word: "drift_day", plural: "drift days", path: "/drift-metrics",
        table: "countersign.drift_metrics_daily", tag: "findings", verbs: All,
        id: DriftDayId, read: ReadFindings, write: WriteFindings,
        example: {
            "environment_id": "env_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b", "date": "2026-03-01",
            "total_drifts": 12, "resolved_drifts": 9, "avg_resolution_time": 5400.0,
            "top_cause_categories": {"emergency_fix": 5}, "severity_distribution": {"high": 3},
            "recommendation_adoption_rate": 0.75
        }
    }
    given {
        /// The environment.
        #[schema(value_type = String)]
        environment_id: EnvironmentId => Id.filter();
        /// The day.
        #[schema(value_type = String, format = Date)]
        date: Date => Date.filter().sort();
        /// Found.
        #[serde(default)]
        #[schema(minimum = 0)]
        total_drifts: i32 => Integer.sort();
        /// Put right.
        #[serde(default)]
        #[schema(minimum = 0)]
        resolved_drifts: i32 => Integer.sort();
        /// How long that took on average, in seconds.
        #[schema(minimum = 0)]
        avg_resolution_time: Option<f64> => Seconds;
        /// How many of each cause.
        #[serde(default = "nothing")]
        #[schema(value_type = Object)]
        top_cause_categories: Value => Json;
        /// How many of each severity.
        #[serde(default = "nothing")]
        #[schema(value_type = Object)]
        severity_distribution: Value => Json;
        /// Share of recommendations that were followed.
        #[schema(minimum = 0, maximum = 1)]
        recommendation_adoption_rate: Option<f64> => Number.filter();
    }
    kept {
        /// When it was counted.
        created_at: Timestamp => Time.filter().age();
    }
    check(wanted) {
        let counts =
            [("/total_drifts", wanted.total_drifts), ("/resolved_drifts", wanted.resolved_drifts)];
        for (path, count) in counts {
            if count < 0 {
                return Err(Problem::invalid(path, "out_of_range", "must not be negative"));
            }
        }
        let time = wanted.avg_resolution_time.unwrap_or_default();
        if !(0.0..=LONGEST_SPAN_S).contains(&time) {
            let message = "must be within ten years, in seconds";
            return Err(Problem::invalid("/avg_resolution_time", "out_of_range", message));
        }
        an_object("/top_cause_categories", &wanted.top_cause_categories)?;
        an_object("/severity_distribution", &wanted.severity_distribution)?;
        share("/recommendation_adoption_rate", wanted.recommendation_adoption_rate)
    }
}

/// The longest span that is kept, in seconds: ten years.
const LONGEST_SPAN_S: f64 = 315_576_000.0;

fn nothing() -> Value {
    json!({})
}

/// Refuses figures that do not say what they were measured on.
fn measured(metrics: &Value) -> Result<(), Problem> {
    let figures = metrics.as_object().is_some_and(|figures| !figures.is_empty());
    let lacks = ["dataset_sha256", "split_id", "n", "seed", "date"]
        .into_iter()
        .find(|said| metrics.get(said).is_none_or(Value::is_null));
    match lacks.filter(|_| figures) {
        None => Ok(()),
        Some(lacks) => {
            let message = "figures say on what data set, split and number of rows they were \
                           measured, with which seed, and when";
            Err(Problem::invalid(&format!("/metrics/{lacks}"), "missing", message))
        }
    }
}

/// Refuses JSON that is no list of strings.
fn words(path: &str, value: &Value) -> Result<(), Problem> {
    let all = value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
    if !all {
        return Err(Problem::invalid(path, "shape", "must be a list of strings"));
    }
    document(path, value)
}
