//! The model that decides, asked about what is known around a drift.

use judge::drift::cause::{Decider, Learned};
use judge::drift::features::{self, Vector};
use judge::drift::{Cause, Posteriors};
use judge::store::explained::ToSay;
use learn::store::registry::{Active, Predicted};
use learn::training::artifact::Artifact;
use model::Digest;
use model::id::ModelId;
use serde_json::json;

use super::MODEL;

/// A model, ready to be asked.
#[derive(Debug)]
pub(super) struct Predictor {
    id: ModelId,
    version: String,
    sha256: String,
    artifact: Artifact,
    order: Vec<usize>,
    names: Vec<String>,
    /// For each of the model's classes the cause it is.
    classes: Vec<Cause>,
}

impl Predictor {
    /// A model that looks at nothing but our features and knows nothing but causes evidence can
    /// speak for; another one cannot decide, and the stated rules do.
    pub(super) fn of(active: Active) -> Option<Self> {
        let unusable = |why: &str| {
            tracing::warn!(version = active.version, why, "the active model cannot be asked");
        };
        if Digest::of(active.artifact.as_bytes()).as_bytes().as_slice() != active.sha256 {
            unusable("its file is not the one that was kept");
            return None;
        }
        let artifact = match Artifact::read(&active.artifact) {
            Ok(artifact) => artifact,
            Err(error) => {
                unusable(&error.to_string());
                return None;
            }
        };
        if let Some(unknown) = artifact.features.iter().find(|name| features::place(name).is_none())
        {
            unusable(&format!("it looks at {unknown:?}, which nobody knows"));
            return None;
        }
        let classes = artifact.classes.iter().map(|class| {
            class.parse::<Cause>().ok().filter(|cause| Cause::INFERRED.contains(cause))
        });
        let Some(classes) = classes.collect::<Option<Vec<Cause>>>() else {
            unusable("it knows another class than the causes evidence can speak for");
            return None;
        };
        let names = artifact.features.clone();
        let order = artifact.order(&names).ok()?;
        Some(Self {
            id: active.id,
            version: active.version,
            sha256: hex(&active.sha256),
            artifact,
            order,
            names,
            classes,
        })
    }

    pub(super) const fn id(&self) -> ModelId {
        self.id
    }

    /// What tells it from other models.
    pub(super) fn name(&self) -> &str {
        &self.sha256
    }

    /// What it says; nothing when it cannot say it of these numbers.
    pub(super) fn ask(&self, vector: &Vector) -> Option<Learned> {
        let row: Vec<f64> = self
            .names
            .iter()
            .map(|name| {
                let place = features::place(name)?;
                vector.values().get(place).copied()
            })
            .collect::<Option<_>>()?;
        let shares = self.artifact.predict(&self.order, &row).ok()?;
        let mut probabilities = [0.0; 5];
        for (cause, place) in Cause::INFERRED.iter().zip(&mut probabilities) {
            let known = self.classes.iter().position(|class| class == cause);
            *place = known.and_then(|at| shares.get(at).copied()).unwrap_or_default();
        }
        Learned::new(MODEL, &self.version, probabilities, None).ok()
    }

    /// What is kept of its word: nothing where somebody else decided.
    pub(super) fn kept(&self, one: &ToSay) -> Option<Predicted> {
        let explained = &one.explained;
        let Decider::Model { .. } = &explained.decided_by else { return None };
        let posteriors: &Posteriors = &explained.posteriors;
        Some(Predicted {
            finding: one.finding,
            result: json!({
                "cause": explained.cause, "likeliest": explained.likeliest,
                "confidence": explained.confidence, "posteriors": posteriors,
            }),
            metadata: json!({
                "version": self.version, "artifact_sha256": self.sha256,
                "features_version": features::VERSION,
            }),
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    Digest::try_from(bytes).map(|digest| digest.to_string()).unwrap_or_default()
}
