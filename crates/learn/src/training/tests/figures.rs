use super::near;
use crate::training::calibration::{cooled, temperature};
use crate::training::importance::interval;
use crate::training::metrics::{ece, metrics};
use crate::training::shift::{
    benjamini_hochberg, degraded, kolmogorov_smirnov, shifts, worth_training,
};

#[test]
fn figures_are_those_computed_by_hand() {
    // Four rows: right, right, wrong (1 for 0), wrong (0 for 2).
    let predicted =
        [vec![0.8, 0.1, 0.1], vec![0.2, 0.7, 0.1], vec![0.3, 0.6, 0.1], vec![0.5, 0.1, 0.4]];
    let found = metrics(&predicted, &[0, 1, 0, 2]);
    assert_eq!(found.confusion_matrix, [[1, 1, 0], [0, 1, 0], [1, 0, 0]]);
    assert!(near(found.accuracy, 0.5));
    // Precision: 1/2, 1/2, 0/0; recall: 1/2, 1, 0; F1: 1/2, 2/3, 0.
    assert!(near(found.precision_macro, 1.0 / 3.0));
    assert!(near(found.recall_macro, 0.5));
    assert!(near(found.f1_macro, (0.5 + 2.0 / 3.0) / 3.0));
    // 0.06, 0.14, 0.86, 0.62, over four.
    assert!(near(found.brier, (0.06 + 0.14 + 0.86 + 0.62) / 4.0));
    let nats = -(0.8_f64 * 0.7 * 0.3 * 0.4).ln() / 4.0;
    assert!((found.log_loss - nats).abs() < 1e-9);
    // Each row is a bin of its own: |1 - .8| + |1 - .7| + .6 + .5, over four.
    assert!(near(found.ece, (0.2 + 0.3 + 0.6 + 0.5) / 4.0));
    let half = found.coverage[0];
    assert!(near(half.coverage, 0.5) && near(half.accuracy, 1.0) && near(half.confidence, 0.7));
    assert!(near(found.coverage[5].accuracy, 0.5));
}

#[test]
fn classes_that_never_occur_do_not_count() {
    let found = metrics(&[vec![0.9, 0.1, 0.0], vec![0.2, 0.8, 0.0]], &[0, 1]);
    assert!(near(found.f1_macro, 1.0));
}

#[test]
fn calibration_is_judged_in_ten_bins_of_equal_mass() {
    // Twenty answers, two a bin: of each pair one is right, all say 0.7.
    let answers: Vec<(f64, bool)> = (0..20).map(|at| (0.7, at % 2 == 0)).collect();
    assert!(near(ece(&answers), 0.2));
    // Pairs right and wrong in turn, a hundredth surer each: .5, .51, .48, .53, … by hand 5.05 / 10.
    let answers: Vec<(f64, bool)> =
        (0..20).map(|at| (0.5 + 0.01 * f64::from(at / 2), at / 2 % 2 == 0)).collect();
    assert!((ece(&answers) - 0.505).abs() < 1e-9, "{}", ece(&answers));
    assert!(near(ece(&[]), 0.0));
}

#[test]
fn overconfident_scores_are_cooled_to_what_comes_true() {
    // Odds of 3:1 come true; scores say e^3:1. The best temperature is 3 / ln 3.
    let scores = vec![vec![3.0, 0.0]; 4];
    let found = temperature(&scores, &[0, 0, 0, 1]);
    assert!((found - 3.0 / 3.0_f64.ln()).abs() < 1e-6, "{found}");
    assert!((cooled(&scores[0], found)[0] - 0.75).abs() < 1e-6);
    assert!(near(temperature(&[], &[]), 1.0));
}

#[test]
fn an_interval_of_twenty_repeats_is_students() {
    // 0 and 2 alternating: mean 1, deviation sqrt(20/19), so half = 2.093024 * sqrt(1/19).
    let numbers: Vec<f64> = (0..20).map(|at| f64::from(at % 2) * 2.0).collect();
    let (mean, half) = interval(&numbers);
    assert!(near(mean, 1.0) && near(half, 2.093_024 * (1.0_f64 / 19.0).sqrt()));
}

#[test]
fn what_looks_different_in_many_features_is_told_with_few_false_alarms() {
    // The example of Benjamini and Hochberg 1995, section 3: of 15 the first four are told of.
    let p = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
        0.5719, 0.6528, 0.7590, 1.0,
    ];
    let told = benjamini_hochberg(&p);
    assert_eq!(told.iter().filter(|told| **told).count(), 4);
    assert!(told[..4].iter().all(|told| *told));
}

#[test]
fn distance_and_p_value_are_kolmogorovs() {
    let (distance, p) = kolmogorov_smirnov(&[1.0, 2.0, 3.0, 4.0], &[1.0, 2.0, 3.0, 4.0]);
    assert!(near(distance, 0.0) && near(p, 1.0));
    // 1..=4 against 3..=6: after 2 a half against nothing.
    let (distance, p) = kolmogorov_smirnov(&[1.0, 2.0, 3.0, 4.0], &[3.0, 4.0, 5.0, 6.0]);
    assert!(near(distance, 0.5));
    // Lambda = (sqrt 2 + .12 + .11 / sqrt 2) / 2 = 0.80600; Q = 2 (e^-1.29926 - e^-5.19705 + ...).
    let lambda = (2.0_f64.sqrt() + 0.12 + 0.11 / 2.0_f64.sqrt()) / 2.0;
    let q = |j: f64| (-2.0 * j * j * lambda * lambda).exp();
    assert!((p - 2.0 * (q(1.0) - q(2.0) + q(3.0) - q(4.0))).abs() < 1e-9, "{p}");
    assert!(near(kolmogorov_smirnov(&[], &[1.0]).1, 1.0));
}

#[test]
fn a_feature_that_moved_is_told_and_the_others_are_not() {
    let before = super::rows(300, 1);
    let now = super::rows(300, 2);
    let quiet = shifts(&before, &now).unwrap();
    assert!(quiet.iter().all(|shift| !shift.shifted), "{quiet:?}");
    let mut moved: Vec<_> = now.rows().to_vec();
    moved.iter_mut().for_each(|row| row.values[2] += 0.5);
    let now = crate::training::dataset::Dataset::new(
        now.features().to_vec(),
        now.classes().to_vec(),
        moved,
    );
    let told = shifts(&before, &now.unwrap()).unwrap();
    let names: Vec<&str> =
        told.iter().filter(|one| one.shifted).map(|one| one.feature.as_str()).collect();
    assert_eq!(names, ["hour"]);
    assert!(told[0].missing_before > 0.05 && told[0].missing_before < 0.15);
}

#[test]
fn degradation_and_enough_rows_are_document_004s() {
    assert!(degraded(0.85, 0.79) && !degraded(0.85, 0.81));
    assert!(worth_training(1_000) && !worth_training(999));
}
