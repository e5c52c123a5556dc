//! The record of an assessment: inputs and result, recomputable to the bit.

use model::canonical::{self, CanonicalError};
use serde::{Deserialize, Serialize};

use super::{Assessment, RiskInput, assess_with, model_named};

/// What goes into the signed record of a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Everything the assessment depends on, constants included.
    pub input: RiskInput,
    /// What came out.
    pub assessment: Assessment,
}

/// Why a record does not hold.
#[derive(Debug, thiserror::Error)]
pub enum Mismatch {
    /// It was made by a model this binary does not have.
    #[error("the assessment was made by model {name}, which is not known here")]
    UnknownModel {
        /// Its name.
        name: String,
    },
    /// Recomputing gives something else.
    #[error("recomputing the assessment from its recorded inputs gives another result")]
    Different,
    /// The record has no canonical form.
    #[error("the assessment has no canonical form")]
    Canonical(#[source] CanonicalError),
}

impl Record {
    /// Assesses and keeps the inputs.
    #[must_use]
    pub fn make(input: RiskInput) -> Self {
        let assessment = super::assess(&input);
        Self { input, assessment }
    }

    /// Recomputes the assessment from the recorded inputs and compares every bit.
    ///
    /// # Errors
    /// When the model is unknown here, or when anything at all differs.
    pub fn verify(&self) -> Result<(), Mismatch> {
        let name = &self.assessment.model;
        let model =
            model_named(name).ok_or_else(|| Mismatch::UnknownModel { name: name.clone() })?;
        let again = assess_with(model, &self.input);
        let bytes =
            |assessment: &Assessment| canonical::to_bytes(assessment).map_err(Mismatch::Canonical);
        if bytes(&again)? == bytes(&self.assessment)? { Ok(()) } else { Err(Mismatch::Different) }
    }
}
