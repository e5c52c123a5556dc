use jiff::civil::date;

use super::{kinds, rows, trained};
use crate::training::champion::{Comparison, Incumbent, Refusal, refusals};
use crate::training::dataset::{Dataset, Row};
use crate::training::evaluate::{EvaluateError, compare, evaluate};
use crate::training::fit::Kind;
use crate::training::logistic;

fn logistic() -> Kind {
    Kind::Logistic(logistic::Options::default())
}

fn against(incumbent: Option<&Dataset>, data: &Dataset) -> Comparison {
    let challenger = trained(&rows(300, 5), &logistic(), 3);
    let incumbent = incumbent.map(|data| trained(data, &logistic(), 3));
    compare(&challenger, incumbent.as_ref(), data, 9, date(2026, 3, 2)).unwrap()
}

/// Rows whose labels have nothing to do with them.
fn nonsense(count: usize) -> Dataset {
    let data = rows(count, 8);
    let mut all = data.rows().to_vec();
    all.iter_mut().enumerate().for_each(|(at, row)| row.label = at % 3);
    Dataset::new(data.features().to_vec(), data.classes().to_vec(), all).unwrap()
}

#[test]
fn a_better_model_may_replace_a_worse_one_and_not_the_other_way() {
    let fresh = rows(200, 77);
    let better = against(Some(&nonsense(150)), &fresh);
    assert_eq!(refusals(&better), [], "{better:?}");
    assert_eq!(
        (better.against, better.n, better.split_id.as_str()),
        (Incumbent::Model, 200, "all")
    );
    assert!(
        better.f1.low > 0.0 && better.f1.low <= better.f1.seen && better.f1.seen <= better.f1.high
    );
    let good = trained(&rows(300, 5), &logistic(), 3);
    let bad = trained(&nonsense(300), &logistic(), 3);
    let worse = compare(&bad, Some(&good), &fresh, 9, date(2026, 3, 2)).unwrap();
    assert!(refusals(&worse).contains(&Refusal::NotBetter));
}

#[test]
fn an_equal_model_is_not_better() {
    let same = against(Some(&rows(300, 5)), &rows(200, 77));
    assert_eq!(refusals(&same), [Refusal::NotBetter]);
}

#[test]
fn of_its_own_data_set_a_model_is_judged_by_what_was_held_out_alone() {
    let data = rows(300, 5);
    let artifact = trained(&data, &logistic(), 3);
    let found = evaluate(&artifact, &data).unwrap();
    let origin = artifact.provenance().unwrap();
    assert_eq!(found.metrics, origin.report.held_out);
    assert_eq!(found.split_id, origin.split_id);
    assert_eq!(evaluate(&artifact, &rows(50, 6)).unwrap().metrics.n, 50);
    // A model of another seed held other rows out: both are tested on what neither learnt from.
    let other = trained(&data, &logistic(), 4);
    let both = compare(&artifact, Some(&other), &data, 1, date(2026, 3, 2)).unwrap();
    assert!(both.n < 60 && both.split_id.contains('+'), "{} {}", both.n, both.split_id);
}

#[test]
fn without_another_model_it_is_compared_with_what_was_stated_or_with_frequencies() {
    let fresh = rows(200, 77);
    let first = against(None, &fresh);
    assert_eq!(first.against, Incumbent::Frequencies);
    assert_eq!(refusals(&first), []);
    let mut all = fresh.rows().to_vec();
    for row in &mut all {
        let mut stated = vec![0.0; 3];
        stated[row.label] = 1.0;
        row.stated = Some(stated);
    }
    let fresh = Dataset::new(fresh.features().to_vec(), fresh.classes().to_vec(), all).unwrap();
    let second = against(None, &fresh);
    assert_eq!(second.against, Incumbent::Stated);
    assert!(refusals(&second).contains(&Refusal::NotBetter));
}

#[test]
fn few_labels_are_not_enough_and_trees_need_more() {
    let fresh = rows(200, 77);
    let mut record = against(Some(&nonsense(150)), &fresh);
    record.labels = 199;
    assert_eq!(refusals(&record), [Refusal::FewLabels]);
    record.labels = 1_999;
    record.kind = "trees".to_owned();
    assert_eq!(refusals(&record), [Refusal::FewLabels]);
    record.labels = 2_000;
    assert_eq!(refusals(&record), []);
    record.fewest = 14;
    assert_eq!(refusals(&record), [Refusal::FewOfAClass]);
}

#[test]
fn a_record_that_contradicts_itself_or_is_worse_calibrated_activates_nothing() {
    let fresh = rows(200, 77);
    let record = against(Some(&nonsense(150)), &fresh);
    let with = |change: fn(&mut Comparison)| {
        let mut record = record.clone();
        change(&mut record);
        refusals(&record)
    };
    assert_eq!(with(|one| one.n = 100), [Refusal::Contradictory]);
    assert_eq!(with(|one| one.f1.seen = 0.99), [Refusal::Contradictory]);
    assert_eq!(with(|one| one.challenger.artifact_sha256 = None), [Refusal::Contradictory]);
    assert_eq!(with(|one| one.ece.low = 0.01), [Refusal::Miscalibrated]);
    assert_eq!(with(|one| one.f1.low = f64::NAN), [Refusal::NotBetter]);
}

#[test]
fn other_classes_or_features_are_not_compared() {
    let artifact = trained(&rows(120, 5), &kinds()[0], 3);
    let data = rows(20, 1);
    let classes = ["automated", "emergency", "weather"].map(str::to_owned).to_vec();
    let other = Dataset::new(data.features().to_vec(), classes, data.rows().to_vec()).unwrap();
    assert!(matches!(evaluate(&artifact, &other), Err(EvaluateError::Classes(_))));
    let narrow: Vec<Row> = vec![Row::new(vec![1.0], 0); 3];
    let narrow = Dataset::new(vec!["age".to_owned()], data.classes().to_vec(), narrow).unwrap();
    assert!(matches!(evaluate(&artifact, &narrow), Err(EvaluateError::Features(_))));
}
