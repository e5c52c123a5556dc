use proptest::prelude::*;

use super::{kinds, near, rows, small, trained};
use crate::training::artifact::{Artifact, Model, predict};
use crate::training::calibration::cooled;
use crate::training::dataset::{Dataset, Row};
use crate::training::fit::Kind;
use crate::training::logistic::{self, Linear};
use crate::training::metrics::metrics;
use crate::training::simulator::simulate;
use crate::training::trees::{self, Node};

/// The same rows with their classes in another order.
fn relabelled(data: &Dataset, to: [usize; 3]) -> Dataset {
    let mut classes = data.classes().to_vec();
    to.iter().enumerate().for_each(|(from, to)| classes[*to] = data.classes()[from].clone());
    let mut all = data.rows().to_vec();
    all.iter_mut().for_each(|row| row.label = to[row.label]);
    Dataset::new(data.features().to_vec(), classes, all).unwrap()
}

/// The same rows with one more feature.
fn with_constant(data: &Dataset) -> Dataset {
    let mut features = data.features().to_vec();
    features.push("always".to_owned());
    let mut all = data.rows().to_vec();
    all.iter_mut().for_each(|row| row.values.push(7.25));
    Dataset::new(features, data.classes().to_vec(), all).unwrap()
}

/// The posteriors of rows in the model's order.
fn posteriors(artifact: &Artifact, data: &Dataset) -> Vec<Vec<f64>> {
    data.rows().iter().map(|row| artifact.shares(&row.values).unwrap()).collect()
}

/// With the figures left out, which name features.
fn said(artifact: &Artifact, data: &Dataset) -> Vec<Vec<u64>> {
    let of = |shares: &Vec<f64>| shares.iter().map(|share| share.to_bits()).collect();
    posteriors(artifact, data).iter().map(of).collect()
}

#[test]
fn the_same_rows_and_seed_give_the_same_bytes() {
    let data = rows(150, 5);
    for kind in kinds() {
        let first = trained(&data, &kind, 11).write().unwrap();
        assert_eq!(first, trained(&data, &kind, 11).write().unwrap());
        assert_ne!(first, trained(&data, &kind, 12).write().unwrap());
    }
}

#[test]
fn what_classes_are_called_changes_nothing() {
    let data = rows(150, 5);
    let to = [2, 0, 1];
    let other = relabelled(&data, to);
    let options = trees::Options { patience: Some(3), ..small() };
    let trees = [&data, &other].map(|data| trees::fit(data, &options, 3).unwrap().forest);
    let weights =
        [&data, &other].map(|data| logistic::fit(data, &logistic::Options::default()).unwrap().0);
    for row in data.rows() {
        let [old, new] = [&trees[0], &trees[1]].map(|forest| forest.scores(&row.values));
        for (class, to) in to.iter().enumerate() {
            assert_eq!(old[class].to_bits(), new[*to].to_bits());
        }
        // The optimiser's sums run over classes in their order: equal but for rounding.
        let [old, new] =
            [&weights[0], &weights[1]].map(|one| cooled(&one.scores(&row.values).unwrap(), 1.0));
        for (class, to) in to.iter().enumerate() {
            assert!((old[class] - new[*to]).abs() < 1e-5, "{old:?} {new:?}");
        }
    }
}

#[test]
fn a_feature_that_never_changes_changes_nothing() {
    let data = rows(150, 5);
    let more = with_constant(&data);
    for kind in kinds() {
        let [old, new] = [trained(&data, &kind, 3), trained(&more, &kind, 3)];
        assert_eq!(said(&old, &data), said(&new, &more));
        let importance = &new.provenance().unwrap().report.importance;
        let always = importance.iter().find(|one| one.feature == "always").unwrap();
        assert!(near(always.mean, 0.0) && near(always.high, 0.0));
    }
}

#[test]
fn both_kinds_learn_what_is_there_to_learn() {
    let data = rows(300, 5);
    for kind in kinds() {
        let artifact = trained(&data, &kind, 3);
        let origin = artifact.provenance().unwrap();
        let figures = &origin.report.held_out;
        assert!(figures.accuracy > 0.7, "{kind:?}: {figures:?}");
        assert_eq!((figures.n, origin.rows), (60, 300));
        assert_eq!(origin.report.cross_validation.accuracy.len(), 10);
        assert_eq!(origin.report.groups.as_ref().unwrap().accuracy.len(), 3);
        let mut first =
            [&origin.report.importance[0].feature, &origin.report.importance[1].feature];
        first.sort();
        assert_eq!(first, ["age", "burst"]);
        assert!(origin.report.importance[0].low > 0.0);
        assert!(origin.report.convergence.as_ref().is_none_or(|ended| ended.converged));
        if let Some(gain) = &origin.report.gain {
            assert!(gain[0] + gain[1] > 0.7 && near(gain.iter().sum(), 1.0), "{gain:?}");
        }
    }
}

#[test]
fn with_a_prior_a_model_says_what_the_rules_say_until_rows_move_it() {
    let prior = Linear {
        weights: vec![vec![0.0; 4], vec![2.0, 0.0, 0.5, 0.0], vec![0.0, 2.0, 0.0, -0.25]],
        intercepts: vec![1.0, -0.5, 0.0],
        missing: Some(vec![0.0; 4]),
    };
    let options = |ridge| logistic::Options { ridge, prior: Some(prior.clone()), steps: 500 };
    let data = rows(200, 5);
    let off = |ridge: f64| {
        let (found, ended) = logistic::fit(&data, &options(ridge)).unwrap();
        assert!(ended.converged, "{ended:?}");
        let most = data.rows().iter().map(|row| {
            let [new, old] =
                [&found, &prior].map(|one| cooled(&one.scores(&row.values).unwrap(), 1.0));
            new.iter().zip(&old).map(|(new, old)| (new - old).abs()).fold(0.0, f64::max)
        });
        most.fold(0.0, f64::max)
    };
    assert!(off(1e9) < 1e-6);
    let [held, freer] = [off(100.0), off(1.0)];
    assert!(freer > held && held > 1e-3, "{held} {freer}");
    let narrow = Linear { missing: None, weights: vec![vec![0.0; 3]; 3], ..prior };
    let wrong = logistic::Options { prior: Some(narrow), ..logistic::Options::default() };
    assert_eq!(logistic::fit(&data, &wrong).unwrap_err(), logistic::FitError::Prior);
}

#[test]
fn the_weights_are_at_the_minimum() {
    // Two classes, one feature of mean 0 and deviation 1: at the minimum the gradient is 0, so
    // Σ (p - y) x + λ w = 0 for either class, and the intercepts are equal.
    let all = [(-1.0, 0), (-1.0, 0), (-1.0, 1), (1.0, 1), (1.0, 1), (1.0, 0)];
    let all = all.iter().map(|(x, y)| Row::new(vec![*x], *y)).collect();
    let names = vec!["no".to_owned(), "yes".to_owned()];
    let data = Dataset::new(vec!["x".to_owned()], names, all).unwrap();
    let (found, ended) = logistic::fit(&data, &logistic::Options::default()).unwrap();
    assert!(ended.converged);
    let weight = found.weights[1][0];
    let yes = 1.0 / (1.0 + (-2.0 * weight).exp());
    assert!((3.0 * yes - 2.0 - (3.0 * (1.0 - yes) - 1.0) + weight).abs() < 1e-5, "{weight}");
    assert!((found.intercepts[0] - found.intercepts[1]).abs() < 1e-5);
    assert!((found.weights[0][0] + weight).abs() < 1e-5);
}

#[test]
fn a_missing_value_goes_to_the_side_that_was_learnt_for_it() {
    // What is missing is of class 1, like what is high; what is low is of class 0.
    let all: Vec<Row> = (0..90)
        .map(|at| match at % 3 {
            0 => Row::new(vec![1.0], 0),
            1 => Row::new(vec![2.0], 1),
            _ => Row::new(vec![f64::NAN], 1),
        })
        .collect();
    let names = vec!["low".to_owned(), "other".to_owned()];
    let data = Dataset::new(vec!["x".to_owned()], names, all).unwrap();
    let options = trees::Options { rounds: 3, patience: None, ..trees::Options::default() };
    let grown = trees::fit(&data, &options, 1).unwrap();
    let Node::Split { threshold, missing_left, .. } = grown.forest.rounds[0][0].nodes[0] else {
        panic!("{grown:?}")
    };
    assert!(near(threshold, 1.5) && !missing_left);
    let [low, high, missing] = [1.0, 2.0, f64::NAN].map(|x| grown.forest.scores(&[x]));
    assert!(low[0] > low[1] && high[1] > high[0]);
    assert_eq!(high, missing);
}

#[test]
fn growing_stops_when_rows_kept_aside_gain_nothing() {
    let data = rows(150, 9);
    let options = trees::Options { rounds: 60, patience: Some(3), rate: 0.5, ..small() };
    let grown = trees::fit(&data, &options, 1).unwrap();
    assert!(grown.tried < 60, "{}", grown.tried);
    assert_eq!(grown.tried - grown.forest.rounds.len(), 3);
    let wrong = trees::Options { depth: 0, ..small() };
    assert!(trees::fit(&data, &wrong, 1).is_err());
}

#[test]
fn the_simulators_best_answer_is_better_than_a_models_and_not_by_much() {
    let simulated = simulate(700, 1);
    let bayes = metrics(&simulated.posterior, &simulated.truth);
    assert!(bayes.f1_macro > 0.7 && bayes.ece < 0.08, "{bayes:?}");
    let artifact = trained(&simulated.data, &Kind::Logistic(logistic::Options::default()), 1);
    let fresh = simulate(700, 2);
    let found = metrics(&posteriors(&artifact, &fresh.data), &fresh.truth);
    let best = metrics(&fresh.posterior, &fresh.truth);
    let regret = best.f1_macro - found.f1_macro;
    assert!(regret > -0.02 && regret < 0.2, "{} {}", best.f1_macro, found.f1_macro);
    assert!(best.log_loss < found.log_loss);
    let wrong = fresh.data.labels().iter().zip(&fresh.truth).filter(|(l, t)| l != t).count();
    assert!((15..=60).contains(&wrong), "{wrong}");
    assert_eq!(fresh.best().len(), fresh.of_labels().len());
}

/// One model of each kind, for properties.
fn models() -> &'static [Artifact; 2] {
    static MODELS: std::sync::OnceLock<[Artifact; 2]> = std::sync::OnceLock::new();
    MODELS.get_or_init(|| kinds().map(|kind| trained(&rows(120, 5), &kind, 3)))
}

proptest! {
    #[test]
    fn predictions_are_probabilities_that_sum_to_one(
        row in prop::collection::vec(
            prop_oneof![any::<f64>().prop_filter("finite", |x| !x.is_infinite()), Just(f64::NAN)], 4
        ),
    ) {
        for artifact in models() {
            let shares = predict(artifact, &artifact.features, &row).unwrap();
            prop_assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{:?}", shares);
            prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn the_order_of_names_says_nothing(order in Just((0..4).collect::<Vec<usize>>()).prop_shuffle()) {
        for artifact in models() {
            let row = [0.5, -0.25, 1.0, f64::NAN];
            let names: Vec<String> = order.iter().map(|at| artifact.features[*at].clone()).collect();
            let moved: Vec<f64> = order.iter().map(|at| row[*at]).collect();
            prop_assert_eq!(
                predict(artifact, &artifact.features, &row).unwrap(),
                predict(artifact, &names, &moved).unwrap()
            );
        }
    }
}

#[test]
fn trees_are_of_the_kind_they_say() {
    assert!(matches!(models()[0].model, Model::Logistic(_)));
    assert!(matches!(models()[1].model, Model::Trees(_)));
}
