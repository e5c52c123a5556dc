use std::borrow::Cow;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::drift::rules::{Rule, Rules};

const NOISE: &str = include_str!("noise.yaml");

fn sealer() -> Sealer {
    Sealer::new(b"a key of the tests")
}

fn differences(
    rules: &Rules,
    kind: &str,
    declared: &serde_json::Value,
    actual: &serde_json::Value,
) -> Vec<Change> {
    let sealer = sealer();
    let scope = if kind.contains('_') { Scope::Whole } else { Scope::Declared };
    let comparer = Comparer { rules: rules.about(kind), scope, sealer: &sealer };
    let (declared, actual) = (Value::from_json(declared), Value::from_json(actual));
    comparer.differences(&declared, &actual).iter().map(|found| comparer.told(found)).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Noise {
    same: Vec<Pair>,
    different: Vec<Pair>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    r#type: String,
    declared: serde_json::Value,
    actual: serde_json::Value,
    #[serde(default)]
    at: Vec<String>,
    why: String,
}

#[test]
fn what_says_the_same_is_no_drift_however_it_is_written() {
    let noise: Noise = serde_saphyr::from_str(NOISE).unwrap();
    assert!(noise.same.len() >= 60, "{}", noise.same.len());
    let mut wrong = Vec::new();
    for pair in &noise.same {
        assert_ne!(pair.declared, pair.actual, "{}: written the same", pair.why);
        assert!(pair.why.len() > 10, "{}: where does it come from?", pair.r#type);
        for (one, other) in [(&pair.declared, &pair.actual), (&pair.actual, &pair.declared)] {
            let found = differences(Rules::shipped(), &pair.r#type, one, other);
            if !found.is_empty() {
                wrong.push(format!("{} ({}): {found:?}", pair.r#type, pair.why));
            }
            // Nobody's declaration knows less than what is there, the other way round.
            if !pair.r#type.contains('_') {
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), noise.same.len(), wrong.join("\n"));
}

#[test]
fn what_only_looks_the_same_is_drift() {
    let noise: Noise = serde_saphyr::from_str(NOISE).unwrap();
    assert!(noise.different.len() >= 30, "{}", noise.different.len());
    let mut wrong = Vec::new();
    for pair in &noise.different {
        let found = differences(Rules::shipped(), &pair.r#type, &pair.declared, &pair.actual);
        let at: Vec<_> = found.iter().map(|change| change.path.clone()).collect();
        if at.is_empty() || (!pair.at.is_empty() && at != pair.at) {
            wrong.push(format!("{} ({}): at {at:?}, not {:?}", pair.r#type, pair.why, pair.at));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        noise.different.len(),
        wrong.join("\n")
    );
}

/// Values as states have them.
fn any_value() -> impl Strategy<Value = Value<'static>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-20_i64..2_000).prop_map(|number| Value::Number(number.into())),
        "[a-z0-9./:-]{0,6}".prop_map(Value::text),
    ];
    leaf.prop_recursive(4, 40, 5, |inside| {
        prop_oneof![
            prop::collection::vec(inside.clone(), 0..5).prop_map(Value::List),
            prop::collection::btree_map("[a-e_]{1,3}", inside, 0..5).prop_map(|members| {
                Value::map(members.into_iter().map(|(name, value)| (Cow::Owned(name), value)))
            }),
        ]
    })
}

/// A value with some of its parts changed.
fn altered() -> impl Strategy<Value = (Value<'static>, Value<'static>)> {
    (any_value(), any_value(), any::<prop::sample::Index>()).prop_map(|(value, graft, place)| {
        let mut other = value.clone();
        let mut places = Vec::new();
        leaves(&value, &mut Path::new(), &mut places);
        if !places.is_empty() {
            put(&mut other, &places[place.index(places.len())], Some(graft));
        }
        (value, other)
    })
}

fn leaves(value: &Value<'_>, path: &mut Path, found: &mut Vec<Path>) {
    found.push(path.clone());
    let inside: Vec<(Step, &Value<'_>)> = match value {
        Value::Map(members) => {
            members.iter().map(|(name, value)| (Step::Name(name.to_string()), value)).collect()
        }
        Value::List(items) => {
            items.iter().enumerate().map(|(place, item)| (Step::Index(place), item)).collect()
        }
        _ => Vec::new(),
    };
    for (step, value) in inside {
        path.push(step);
        leaves(value, path, found);
        path.pop();
    }
}

/// Puts a value at a place, or takes it away.
fn put(value: &mut Value<'static>, path: &[Step], new: Option<Value<'static>>) {
    let Some((step, inside)) = path.split_first() else {
        *value = new.unwrap_or(Value::Null);
        return;
    };
    match (step, value) {
        (Step::Name(name), Value::Map(members)) => {
            if inside.is_empty() && new.is_none() {
                members.retain(|(own, _)| own != name);
                return;
            }
            if !members.iter().any(|(own, _)| own == name) {
                members.push((Cow::Owned(name.clone()), Value::Null));
                members.sort_by(|one, other| one.0.cmp(&other.0));
            }
            let member = members.iter_mut().find(|(own, _)| own == name).unwrap();
            put(&mut member.1, inside, new);
        }
        (Step::Index(place), Value::List(items)) => put(&mut items[*place], inside, new),
        (step, value) => panic!("{step:?} leads nowhere in {value:?}"),
    }
}

fn plain(rules: &Rules) -> Comparer<'_> {
    static SEALER: std::sync::LazyLock<Sealer> = std::sync::LazyLock::new(sealer);
    Comparer { rules: rules.about("test_thing"), scope: Scope::Whole, sealer: &SEALER }
}

proptest! {
    #[test]
    fn nothing_differs_from_itself(value in any_value()) {
        let rules = Rules::default();
        prop_assert_eq!(plain(&rules).differences(&value, &value), []);
    }

    #[test]
    fn what_differs_put_into_the_one_gives_the_other(pair in prop_oneof![
        altered(),
        (any_value(), any_value()),
    ]) {
        let (declared, actual) = pair;
        let rules = Rules::default();
        let comparer = plain(&rules);
        let found = comparer.differences(&declared, &actual);
        let mut made = declared.clone();
        for difference in &found {
            put(&mut made, &difference.path, difference.actual.clone());
        }
        prop_assert_eq!(comparer.differences(&made, &actual), []);
        // The other way round it is the same places.
        let back = comparer.differences(&actual, &declared);
        let places = |found: &[Difference]| {
            found.iter().map(|difference| difference.path.clone()).collect::<Vec<_>>()
        };
        prop_assert_eq!(places(&found), places(&back));
    }

    #[test]
    fn the_order_of_a_set_says_nothing(
        items in prop::collection::vec(any_value(), 0..6),
        seed in any::<u64>(),
    ) {
        let rules = Rules::of([Rule {
            types: vec!["*".to_owned()],
            paths: vec!["set".to_owned()],
            form: Some(Form::Set),
            ..Rule::default()
        }]).unwrap();
        let mut turned = items.clone();
        if !turned.is_empty() {
            let by = usize::try_from(seed % 7).unwrap() % turned.len();
            turned.rotate_left(by);
            turned.push(turned[0].clone());
        }
        let of = |items| Value::map([(Cow::Borrowed("set"), Value::List(items))]);
        prop_assert_eq!(plain(&rules).differences(&of(items), &of(turned)), []);
    }

    #[test]
    fn a_secret_is_in_nothing_that_is_told(
        value in any_value(),
        other in any_value(),
        canary in "canary-[a-f0-9]{12}",
        turned in "canary-[a-f0-9]{12}",
    ) {
        let hide = |value: Value<'static>, secret: &str| Value::map([
            (Cow::Borrowed("open"), value),
            (Cow::Borrowed("password"), Value::text(secret)),
            (Cow::Borrowed("list"), Value::List(vec![Value::map([
                (Cow::Borrowed("db_password"), Value::text(secret)),
            ])])),
        ]);
        let (declared, actual) = (hide(value, &canary), hide(other, &turned));
        let comparer = plain(Rules::shipped());
        let found = comparer.differences(&declared, &actual);
        let told: Vec<_> = found.iter().map(|found| comparer.told(found)).collect();
        let shown = (comparer.shown(&declared), comparer.shown(&actual));
        let said = format!("{told:?}{shown:?}");
        prop_assert!(!said.contains(&canary) && !said.contains(&turned), "{}", said);
        prop_assert_eq!(canary != turned, said.contains("\"password\"") && told.iter().any(|change| change.path == "password"));
    }
}

#[test]
fn a_declaration_that_names_little_says_nothing_of_the_rest() {
    let found = differences(
        &Rules::default(),
        "Thing",
        &serde_json::json!({"spec": {"size": 1, "nested": {"a": 1}}}),
        &serde_json::json!({"spec": {"size": 2, "nested": {"a": 1, "b": 2}, "more": true}}),
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].path.as_str(), found[0].change), ("spec.size", ChangeType::Modified));
}
