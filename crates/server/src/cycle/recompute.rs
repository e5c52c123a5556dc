//! Recompute: a decision made again from nothing but its signed record, and compared to the bit.
//!
//! Pure: the record, its signature, the keys that are trusted and the policy it names come in, what
//! differs comes out. The guards' answers are facts of the record; risk, policy, autonomy, the
//! counterfactual and the decision itself are made anew.

use gate::decide::RunbookFlags;
use gate::guard::GuardResult;
use gate::proposal::Place;
use judge::counterfactual;
use judge::evaluate::{self, Question};
use judge::policy::Bundle;
use judge::risk::{self, Components, Record};
use model::Digest;
use prove::decision::{DecisionError, DecisionSignature, verify_decision};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::weigh;

/// More differences than this are not told.
const MOST_TOLD: usize = 20;

model::words! {
    /// What there is to say of a signature.
    Signed {
        /// It is over exactly these bytes, by a trusted key.
        Valid = "valid",
        /// It is over other bytes: the record was altered.
        Bad = "bad",
        /// None of the trusted keys made it.
        UnknownKey = "unknown_key",
    }
}

/// Something that is not as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Where in the record, as a JSON pointer.
    pub path: String,
    /// With what it was compared: `recomputed`, or the name of a table.
    pub with: String,
    /// What the record says.
    pub recorded: Value,
    /// What the other says.
    pub found: Value,
}

/// What came of making a decision again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recomputed {
    /// Whether the signature is good, everything could be made again, and nothing differs.
    pub ok: bool,
    /// What there is to say of the signature.
    pub signature: Signed,
    /// SHA-256 of the bytes that were signed; the audit log has it too.
    pub record_sha256: Digest,
    /// The score recorded.
    pub score: Option<String>,
    /// The score made again.
    pub recomputed_score: Option<String>,
    /// What differs; the first twenty.
    pub differences: Vec<Difference>,
    /// What could not be made again, and why.
    pub cannot_tell: Vec<String>,
}

impl Recomputed {
    /// Compares a part of the record with what is stored elsewhere.
    pub fn compare(&mut self, path: &str, with: &str, recorded: &Value, found: &Value) {
        differ(path, with, recorded, found, &mut self.differences);
        self.differences.truncate(MOST_TOLD);
        self.settle();
    }

    /// Whether anything shows that the record is not what was signed and decided.
    #[must_use]
    pub fn tampered(&self) -> bool {
        self.signature == Signed::Bad || !self.differences.is_empty()
    }

    fn settle(&mut self) {
        self.ok = self.signature == Signed::Valid
            && self.differences.is_empty()
            && self.cannot_tell.is_empty();
    }
}

/// The policy bundle a record names.
#[must_use]
pub fn bundle_hash(canon: &[u8]) -> Option<Digest> {
    let record: Value = serde_json::from_slice(canon).ok()?;
    record["policy_bundle_hash"].as_str()?.parse().ok()
}

/// Makes a decision again from the bytes that were signed.
#[must_use]
pub fn recompute(
    canon: &[u8],
    signed: &DecisionSignature,
    trusted: &[[u8; 32]],
    bundle: Option<&Bundle>,
) -> Recomputed {
    let signature = match verify_decision(canon, signed, trusted) {
        Ok(()) => Signed::Valid,
        Err(DecisionError::BadSignature) => Signed::Bad,
        Err(DecisionError::UnknownKey { .. }) => Signed::UnknownKey,
    };
    let mut recomputed = Recomputed {
        ok: false,
        signature,
        record_sha256: Digest::of(canon),
        score: None,
        recomputed_score: None,
        differences: Vec::new(),
        cannot_tell: Vec::new(),
    };
    match serde_json::from_slice::<Value>(canon) {
        Ok(record) => again(&record, bundle, &mut recomputed),
        Err(error) => recomputed.cannot_tell.push(format!("the record is no JSON: {error}")),
    }
    recomputed.settle();
    recomputed
}

fn again(record: &Value, bundle: Option<&Bundle>, into: &mut Recomputed) {
    let score = |assessment: &Value| assessment["score"].as_str().map(str::to_owned);
    into.score = score(&record["risk"]["assessment"]);
    let made = risk_again(record).and_then(|(made, risk)| {
        into.recomputed_score = score(&made["risk"]["assessment"]);
        compare(record, &made, into);
        decision_again(record, &risk, bundle)
    });
    match made {
        Ok(made) => compare(record, &made, into),
        Err(why) => into.cannot_tell.push(why),
    }
}

fn compare(record: &Value, made: &Value, into: &mut Recomputed) {
    for (key, made) in made.as_object().into_iter().flatten() {
        differ(&format!("/{key}"), "recomputed", &record[key], made, &mut into.differences);
    }
    into.differences.truncate(MOST_TOLD);
}

fn read<T: DeserializeOwned>(what: &str, value: &Value) -> Result<T, String> {
    T::deserialize(value).map_err(|error| format!("{what} cannot be read: {error}"))
}

fn shown<T: Serialize>(value: &T) -> Result<Value, String> {
    serde_json::to_value(value).map_err(|error| error.to_string())
}

/// The assessment and its parts, from the recorded inputs.
fn risk_again(record: &Value) -> Result<(Value, Record), String> {
    let recorded: Record = read("the risk", &record["risk"])?;
    let name = &recorded.assessment.model;
    let model = risk::model_named(name).ok_or_else(|| format!("model {name} is not known here"))?;
    let assessment = risk::assess_with(model, &recorded.input);
    let mut made = Map::new();
    if record.get("components").is_some() {
        made.insert("components".to_owned(), shown(&Components::of(&assessment))?);
    }
    let risk = json!({"input": shown(&recorded.input)?, "assessment": shown(&assessment)?});
    made.insert("risk".to_owned(), risk);
    Ok((Value::Object(made), recorded))
}

/// Everything else, from the recorded question and the guards' recorded answers.
fn decision_again(record: &Value, risk: &Record, bundle: Option<&Bundle>) -> Result<Value, String> {
    let Some(inputs) = record.get("inputs") else {
        return Err(
            "the record is of the first version, which holds the risk's inputs alone; the \
                    policy and the gate cannot be asked again"
                .to_owned(),
        );
    };
    let named = record["policy_bundle_hash"].as_str().unwrap_or_default();
    let bundle = bundle
        .filter(|bundle| bundle.hash().to_string() == named)
        .ok_or_else(|| format!("the policy bundle {named} is not to be had"))?;
    let mut question = inputs["question"].clone();
    question["risk"] = shown(&risk.input)?;
    let question: Question = read("the question", &question)?;
    let flags: RunbookFlags = read("the runbook's flags", &inputs["flags"])?;
    let places: Vec<Place> = read("the places", &inputs["places"])?;
    let guards: Vec<GuardResult> = read("the guards' answers", &record["guards"])?;
    let judgement = evaluate::judge(&question, Some(bundle));
    let counterfactual = counterfactual::search(&question, &judgement, Some(bundle));
    let decision = weigh::decided(&question, &judgement, &places, &guards, &flags)
        .map_err(|error| error.to_string())?;
    Ok(json!({
        "autonomy": shown(&judgement.autonomy)?,
        "counterfactual": shown(&counterfactual)?,
        "verdict": shown(&decision.verdict)?,
        "reasons": shown(&decision.reasons)?,
        "constraints": shown(&decision.constraints)?,
        "approval": shown(&decision.approval)?,
        "ttl_s": shown(&decision.ttl_s)?,
    }))
}

/// Every leaf in which two values differ.
fn differ(path: &str, with: &str, recorded: &Value, found: &Value, into: &mut Vec<Difference>) {
    match (recorded, found) {
        (Value::Object(left), Value::Object(right)) => {
            for (key, value) in left {
                let other = right.get(key).unwrap_or(&Value::Null);
                differ(&format!("{path}/{}", escaped(key)), with, value, other, into);
            }
            for (key, value) in right.iter().filter(|(key, _)| !left.contains_key(*key)) {
                differ(&format!("{path}/{}", escaped(key)), with, &Value::Null, value, into);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (at, (value, other)) in left.iter().zip(right).enumerate() {
                differ(&format!("{path}/{at}"), with, value, other, into);
            }
        }
        (left, right) if left == right => {}
        (left, right) => into.push(Difference {
            path: path.to_owned(),
            with: with.to_owned(),
            recorded: left.clone(),
            found: right.clone(),
        }),
    }
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests;
