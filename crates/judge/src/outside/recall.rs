//! Memory: which changes of the past are like this one, and how much.
//!
//! Two intents are alike by what their payloads have in common: the share of equal fields among all
//! fields of both (Jaccard 1912). No text is embedded, so the answer is the same on every machine.
//! How many are remembered, and from which likeness on, are document 003's numbers.

use std::collections::BTreeSet;

use model::id::IntentId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::decimal::Decimal;
use crate::exact::Exact;
use crate::risk::{PastOutcome, Similar};

/// The most changes remembered for one decision.
const MOST: usize = 5;
/// Less alike than this is not alike.
const LEAST: f64 = 0.3;
/// Places of a similarity.
const PLACES: u32 = 3;
/// The most fields compared.
const MOST_FIELDS: usize = 500;

/// A change of the past whose outcome was verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// Which.
    pub intent: IntentId,
    /// What was asked for.
    pub payload: Value,
    /// What came of it.
    pub outcome: PastOutcome,
}

/// A change of the past that is remembered, and how alike it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    /// Which.
    pub intent_id: IntentId,
    /// How alike, 0 to 1, to three places.
    pub similarity: Exact,
    /// What came of it.
    pub outcome: PastOutcome,
}

impl From<Remembered> for Similar {
    fn from(past: Remembered) -> Self {
        Self { similarity: past.similarity, outcome: past.outcome }
    }
}

/// The changes most like `payload`, the most alike first; among equals the newest.
#[must_use]
pub fn remember(payload: &Value, past: &[Past]) -> Vec<Remembered> {
    let own = fields(payload);
    let mut alike: Vec<Remembered> = past
        .iter()
        .filter_map(|past| {
            let similarity = Decimal::rounded(likeness(&own, &fields(&past.payload)), PLACES)?;
            Some(Remembered {
                intent_id: past.intent,
                similarity: Exact(similarity.to_f64()),
                outcome: past.outcome,
            })
        })
        .filter(|past| past.similarity.0 >= LEAST)
        .collect();
    alike.sort_by(|one, other| {
        other
            .similarity
            .0
            .total_cmp(&one.similarity.0)
            .then_with(|| other.intent_id.cmp(&one.intent_id))
    });
    alike.truncate(MOST);
    alike
}

/// `path=value` of everything in a payload.
fn fields(payload: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    gather(payload, "", &mut found);
    found
}

fn gather(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    if into.len() >= MOST_FIELDS {
        return;
    }
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| gather(value, &format!("{path}/{key}"), into));
        }
        // The order of a list says nothing about likeness.
        Value::Array(items) => items.iter().for_each(|item| gather(item, path, into)),
        Value::Null => {}
        leaf => {
            into.insert(format!("{path}={leaf}"));
        }
    }
}

fn likeness(one: &BTreeSet<String>, other: &BTreeSet<String>) -> f64 {
    let all = one.union(other).count();
    if all == 0 {
        return 0.0;
    }
    let common = one.intersection(other).count();
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    number(common) / number(all)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn past(number: u128, payload: Value, outcome: PastOutcome) -> Past {
        Past { intent: IntentId::fixed(number), payload, outcome }
    }

    #[test]
    fn the_most_alike_come_first_and_what_is_not_alike_not_at_all() {
        let own =
            json!({"resource_type": "vm", "region": "eastus", "size": "S", "environment": "dev"});
        let elsewhere =
            json!({"resource_type": "vm", "region": "westus", "size": "S", "environment": "dev"});
        let other = json!({"resource_type": "database", "region": "westus", "size": "L", "environment": "prod"});
        let remembered = remember(
            &own,
            &[
                past(1, other, PastOutcome::Failed),
                past(2, elsewhere, PastOutcome::Failed),
                past(3, own.clone(), PastOutcome::Succeeded),
                past(4, own.clone(), PastOutcome::Succeeded),
            ],
        );
        let seen: Vec<_> = remembered.iter().map(|one| (one.intent_id, one.similarity)).collect();
        assert_eq!(
            seen,
            [
                (IntentId::fixed(4), Exact(1.0)),
                (IntentId::fixed(3), Exact(1.0)),
                (IntentId::fixed(2), Exact(0.6)),
            ]
        );
        let many: Vec<_> =
            (0..20).map(|at| past(at, own.clone(), PastOutcome::Succeeded)).collect();
        assert_eq!(remember(&own, &many).len(), MOST);
    }

    proptest! {
        #[test]
        fn likeness_is_mutual_and_whole_only_with_the_same(
            one in prop::collection::btree_set("[a-d]=[0-3]", 0..8),
            other in prop::collection::btree_set("[a-d]=[0-3]", 0..8),
        ) {
            let both = likeness(&one, &other);
            prop_assert_eq!(both.to_bits(), likeness(&other, &one).to_bits());
            prop_assert!((0.0..=1.0).contains(&both));
            prop_assert_eq!(both >= 1.0, one == other && !one.is_empty());
        }
    }
}
