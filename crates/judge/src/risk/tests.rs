use model::plan::BlastScope;
use proptest::prelude::*;

use super::*;
use crate::action::Table;
use crate::decimal::Decimal;

/// A write of `action` in one environment.
pub(crate) fn input(action: &str, environment: EnvironmentClass) -> RiskInput {
    let actions = vec![Table::shipped().classify(action)];
    RiskInput {
        category: action::category(&actions),
        actions,
        table_version: Table::shipped().version,
        blast: BlastRadius {
            targets: 1,
            scope: BlastScope::Namespace,
            irreversible: false,
            environments: vec![environment],
        },
        belief: None,
        impact: Exact(0.0),
        opportunity: Exact(0.0),
        predictive: Exact(0.0),
        similar: Vec::new(),
        constants: ConstantSet::arf_1().clone(),
    }
}

fn believing(alpha: f64, beta: f64) -> RiskInput {
    RiskInput {
        belief: Some(Belief { alpha: Exact(alpha), beta: Exact(beta), n: 10 }),
        ..input("host.service.restart", EnvironmentClass::Prod)
    }
}

/// The published constants, computed, to the published digits. The table of the source has 0.80
/// for compute outside production, where 10/13 + 5 * 12 / (169 * 14) = 0.7946.
#[test]
fn the_cold_start_arithmetic_is_the_published_one() {
    let table = [
        (Category::Database, "0.158", "0.315", "1.64", "2.43", Verdict::RequireApproval),
        (Category::Security, "0.167", "0.305", "1.72", "2.55", Verdict::RequireApproval),
        (Category::Network, "0.107", "0.230", "1.11", "1.65", Verdict::Allow),
        (Category::Default, "0.091", "0.206", "0.94", "1.40", Verdict::Allow),
        (Category::Compute, "0.077", "0.175", "0.79", "1.18", Verdict::Allow),
    ];
    for (category, mean, width, elsewhere, production, verdict) in table {
        let of = |environment| {
            assess(&RiskInput { category, ..input("host.service.start", environment) })
        };
        let (dev, prod) = (of(EnvironmentClass::Dev), of(EnvironmentClass::Prod));
        assert_eq!(format!("{:.3}", dev.estimate.posterior.0), mean, "{category}");
        assert_eq!(format!("{:.3}", dev.interval().width()), width, "{category}");
        assert_eq!(format!("{:.2}", dev.losses.approve.0), elsewhere, "{category}");
        assert_eq!(format!("{:.2}", prod.losses.approve.0), production, "{category}");
        assert_eq!(prod.losses.verdict(), verdict, "{category}");
        // The tier makes up for it: whatever the losses say, production is at least medium.
        assert!(prod.tier >= Tier::Medium, "{category}");
    }
}

/// With psi, impact, opportunity and variance at 0 the thresholds are 0.20 and 0.75.
#[test]
fn the_effective_thresholds_are_the_published_ones() {
    let of = |score| ExpectedLosses::of(&believing(1.0, 1.0), score, 0.0).verdict();
    assert_eq!(of(0.199), Verdict::Allow);
    assert_eq!(of(0.201), Verdict::RequireApproval);
    assert_eq!(of(0.749), Verdict::RequireApproval);
    assert_eq!(of(0.751), Verdict::Deny);
}

#[test]
fn behaviour_9_a_hundred_successes_lower_the_score_and_one_failure_raises_it() {
    for category in Category::ALL {
        let base = input("host.service.restart", EnvironmentClass::Prod);
        let prior = base.constants.prior(*category).unwrap();
        let score = |failures: f64, successes: f64| {
            let belief = Belief {
                alpha: Exact(prior.alpha() + failures),
                beta: Exact(prior.beta() + successes),
                n: 1,
            };
            let input = RiskInput { category: *category, belief: Some(belief), ..base.clone() };
            assess(&input).score
        };
        assert!(score(0.0, 100.0) < score(0.0, 0.0), "{category}");
        assert!(score(1.0, 0.0) > score(0.0, 0.0), "{category}");
        assert!(score(1.0, 100.0) > score(0.0, 100.0), "{category}");
        assert!(score(0.0, 1.0) < score(0.0, 0.0), "{category}");
    }
}

/// What the model before this one recorded: calculated in doubles, to be verified for ever.
#[test]
fn behaviour_17_records_of_the_model_before_this_one_still_verify() {
    for (alpha, beta) in [(1.0, 12.0), (3.7, 41.25), (9.0, 1.0)] {
        let past = Similar { similarity: Exact(0.7), outcome: PastOutcome::Failed };
        let input = RiskInput { similar: vec![past; 2], ..believing(alpha, beta) };
        let assessment = assess_with(model_named("beta-1").unwrap(), &input);
        let product = assessment.estimate.mean.0 * assessment.estimate.context_factor.0;
        assert_eq!(product.to_bits(), assessment.score.0.to_bits());
        let stored = serde_json::to_string(&Record { input, assessment }).unwrap();
        assert!(!stored.contains("\"cut\""), "its records have no such field");
        assert!(serde_json::from_str::<Record>(&stored).unwrap().verify().is_ok());
    }
}

#[test]
fn behaviour_17_recomputing_a_record_gives_identical_bits() {
    for (alpha, beta) in [(1.0, 12.0), (3.7, 41.25), (0.1, 0.3), (150.5, 9000.0), (2e7, 3e8)] {
        let mut record = Record::make(believing(alpha, beta));
        let stored = serde_json::to_string(&record).unwrap();
        let loaded: Record = serde_json::from_str(&stored).unwrap();
        assert!(loaded.verify().is_ok());
        assert_eq!(loaded.assessment.score.0.to_bits(), record.assessment.score.0.to_bits());
        assert_eq!(
            model::canonical::to_bytes(&loaded).unwrap(),
            model::canonical::to_bytes(&record).unwrap()
        );

        // One bit more in any recorded number and the record no longer holds.
        record.assessment.score = Exact(record.assessment.score.0.next_up());
        assert!(matches!(record.verify(), Err(Mismatch::Different)));
        let mut other = loaded.clone();
        other.input.belief =
            Some(Belief { alpha: Exact(alpha.next_up()), beta: Exact(beta), n: 10 });
        assert!(matches!(other.verify(), Err(Mismatch::Different)));
        let mut unknown = loaded;
        unknown.assessment.model = "beta-0".to_owned();
        assert!(matches!(unknown.verify(), Err(Mismatch::UnknownModel { .. })));
    }
}

/// Bits written down once. Where another machine or compiler computes others, its records and ours
/// could not verify each other.
#[test]
fn behaviour_17_the_bits_of_a_score_are_written_down() {
    for (model, expected) in BITS {
        let assessment = assess_with(model_named(model).unwrap(), &believing(3.7, 41.25));
        let bits = [
            assessment.score,
            assessment.interval().low,
            assessment.interval().high,
            assessment.losses.approve,
        ]
        .map(|value| format!("{:016x}", value.0.to_bits()));
        assert_eq!(bits, expected, "{model}");
    }
}

const BITS: [(&str, [&str; 4]); 2] = [
    ("beta-1", ["3fbf9bc3a1759b32", "3f939ca7867a469f", "3fc2483ffcf950a6", "3ff3e30525717a56"]),
    ("beta-2", ["3fbf9bc3a1a92845", "3f939ca7867a469f", "3fc2483ffcf950a6", "3ff3e3052591b282"]),
];

#[test]
fn a9_a_number_that_is_none_is_maximum_risk() {
    let broken = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e308, -1.0, -1e-9, 1.000_001];
    for value in broken.map(Exact) {
        let base = input("host.service.start", EnvironmentClass::Dev);
        let belief = |alpha, beta| Some(Belief { alpha, beta, n: 1 });
        let mut constants = base.constants.clone();
        constants.losses.false_approval = Exact(-value.0 - 2e6);
        let similar = vec![Similar { similarity: value, outcome: PastOutcome::Succeeded }];
        let cases = [
            RiskInput { impact: value, ..base.clone() },
            RiskInput { opportunity: value, ..base.clone() },
            RiskInput { predictive: value, ..base.clone() },
            RiskInput { similar, ..base.clone() },
            RiskInput { constants, ..base.clone() },
            RiskInput { actions: Vec::new(), impact: value, ..base.clone() },
        ];
        for case in &cases {
            assert_maximum(&assess(case));
        }
        if value.0.is_nan() || value.0.is_infinite() || value.0 <= 0.0 {
            assert_maximum(&assess(&RiskInput {
                belief: belief(value, Exact(1.0)),
                ..base.clone()
            }));
            assert_maximum(&assess(&RiskInput {
                belief: belief(Exact(1.0), value),
                ..base.clone()
            }));
        }
    }
}

fn assert_maximum(assessment: &Assessment) {
    assert_eq!(assessment.tier, Tier::Critical);
    assert_eq!(assessment.verdict, Verdict::Deny);
    assert_eq!(assessment.score, Exact(1.0));
    assert!(assessment.reasons.iter().any(|reason| reason.code == "input_unusable"));
    assert!(model::Digest::of_canonical(assessment).is_ok());
}

/// A stand-in for a model that is down, broken or optimistic.
#[derive(Debug)]
struct Says(Option<f64>);

impl Model for Says {
    fn name(&self) -> &'static str {
        "says"
    }

    fn estimate(&self, input: &RiskInput) -> Option<Estimate> {
        let mean = Exact(self.0?);
        Some(Estimate { posterior: mean, mean, ..BetaModel.estimate(input)? })
    }
}

#[test]
fn a9_a_model_that_is_down_or_talks_nonsense_is_maximum_risk() {
    let input = input("host.service.start", EnvironmentClass::Dev);
    for says in [None, Some(f64::NAN), Some(f64::INFINITY), Some(1e308), Some(-0.1), Some(1.1)] {
        assert_maximum(&assess_with(&Says(says), &input));
    }
}

#[test]
fn a9_a_score_of_zero_leaves_the_tier_where_the_action_puts_it() {
    for (action, tier) in [("host.service.restart", Tier::High), ("kubectl.drain", Tier::Critical)]
    {
        let assessment = assess_with(&Says(Some(0.0)), &input(action, EnvironmentClass::Prod));
        assert_eq!((assessment.tier, assessment.score), (tier, Exact(0.0)));
    }
}

#[test]
fn m7_ten_thousand_benign_runs_do_not_lower_the_tier_of_a_dangerous_one() {
    let benign = Belief { alpha: Exact(1.0), beta: Exact(10_012.0), n: 10_000 };
    for (action, floor) in [
        ("kubectl.delete", Tier::Critical),
        ("host.reboot", Tier::Critical),
        ("host.shell", Tier::High),
        ("drain node 7", Tier::Critical),
    ] {
        let input = RiskInput { belief: Some(benign), ..input(action, EnvironmentClass::Prod) };
        assert_eq!(assess(&input).tier, floor, "{action}");
    }
}

#[test]
fn behaviour_2_drain_node_7_is_a_high_write_whatever_it_is_called() {
    let assessment = assess(&input("drain node 7", EnvironmentClass::Dev));
    assert_eq!(assessment.tier, Tier::High);
    assert!(assessment.reasons.iter().any(|reason| reason.code == "unknown_action"));
}

#[test]
fn the_tier_comes_from_action_environment_blast_and_score() {
    let of = |change: fn(&mut RiskInput)| {
        let mut input = input("host.service.start", EnvironmentClass::Staging);
        change(&mut input);
        assess(&input).tier
    };
    assert_eq!(of(|_| {}), Tier::Low);
    assert_eq!(of(|input| input.blast.environments = vec![EnvironmentClass::Prod]), Tier::Medium);
    assert_eq!(of(|input| input.blast.environments.clear()), Tier::Medium);
    assert_eq!(of(|input| input.blast.targets = 11), Tier::Medium);
    assert_eq!(of(|input| input.blast.targets = 51), Tier::High);
    assert_eq!(of(|input| input.blast.scope = BlastScope::Account), Tier::High);
    assert_eq!(of(|input| input.blast.irreversible = true), Tier::High);
    let failing = Some(Belief { alpha: Exact(9.0), beta: Exact(1.0), n: 10 });
    let input = RiskInput { belief: failing, ..input("host.service.start", EnvironmentClass::Dev) };
    assert_eq!(assess(&input).tier, Tier::Critical);
}

#[test]
fn a_read_stays_a_read_in_production_and_with_a_bad_history() {
    let mut read = input("host.read", EnvironmentClass::Prod);
    read.belief = Some(Belief { alpha: Exact(9.0), beta: Exact(1.0), n: 10 });
    read.blast.targets = 400;
    read.blast.scope = BlastScope::Account;
    let assessment = assess(&read);
    assert_eq!((assessment.tier, assessment.verdict), (Tier::Read, Verdict::Allow));
}

#[test]
fn too_little_knowledge_needs_a_person() {
    let assessment = assess(&RiskInput {
        belief: Some(Belief { alpha: Exact(0.5), beta: Exact(3.0), n: 0 }),
        ..input("host.service.start", EnvironmentClass::Dev)
    });
    assert!(assessment.interval().width() > 0.3);
    assert_eq!(assessment.verdict, Verdict::RequireApproval);
    assert!(assessment.reasons.iter().any(|reason| reason.code == "interval_too_wide"));
}

#[test]
fn similar_failures_raise_the_score_and_similar_successes_lower_no_tier() {
    let remembering = |outcome, count| {
        let similar = vec![Similar { similarity: Exact(0.8), outcome }; count];
        assess(&RiskInput { similar, ..believing(6.0, 10.0) })
    };
    let without = assess(&believing(6.0, 10.0));
    assert_eq!((without.memory_success_rate(), without.memory_weight()), (None, None));
    let bad = remembering(PastOutcome::Failed, 10);
    assert_eq!(bad.memory_success_rate(), Some(Exact(0.0)));
    assert_eq!(bad.memory_weight(), Some(Exact(0.3)));
    assert!(bad.score > without.score);
    let good = remembering(PastOutcome::Succeeded, 2);
    // 1.6 / 11.6, to three places.
    assert_eq!(good.memory_weight(), Some(Exact(0.138)));
    assert!(good.score < without.score);
    assert_eq!(good.tier, without.tier);
    assert_eq!(good.verdict, without.verdict);
}

fn any_input() -> impl Strategy<Value = RiskInput> {
    let action = prop_oneof![
        Just("host.service.start"),
        Just("host.shell"),
        Just("database.failover"),
        Just("kubectl.delete"),
        Just("no such action"),
    ];
    let environment = proptest::sample::select(EnvironmentClass::ALL);
    let outcome = proptest::sample::select(PastOutcome::ALL);
    let share = 0.0..=1.0f64;
    (action, environment, 0.5..80.0f64, 0.5..300.0f64, share.clone(), share, outcome, 0..6usize)
        .prop_map(|(action, environment, alpha, beta, impact, similarity, outcome, past)| {
            let similarity = Exact(similarity);
            RiskInput {
                belief: Some(Belief { alpha: Exact(alpha), beta: Exact(beta), n: 3 }),
                impact: Exact(impact),
                similar: vec![Similar { similarity, outcome }; past],
                ..input(action, environment)
            }
        })
}

#[test]
fn a_factor_cut_at_one_never_makes_more_than_one() {
    for step in 1..20_000_u32 {
        let mean = 0.666_666 + f64::from(step) * 1e-5;
        let alpha = mean.min(0.999_99);
        let belief = Belief { alpha: Exact(alpha), beta: Exact(1.0 - alpha), n: 1 };
        let input = input("host.service.start", EnvironmentClass::Prod);
        let estimate = Estimate { mean: Exact(alpha), ..Estimate::certain_failure() };
        let variant = Variant { belief: Some(belief), estimate };
        let input = RiskInput { belief: Some(belief), ..input };
        let estimate = variant.estimate(&input).unwrap();
        let score = estimate.score();
        assert!(score <= 1.0 && score > 0.999, "{mean}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_parts_add_and_multiply_exactly_to_the_score(input in any_input()) {
        let assessment = assess(&input);
        let parts = Components::of(&assessment).unwrap();
        let by_hand = |text: Decimal| text.to_string().parse::<Decimal>().unwrap();
        // The score shown is the score decided by, to the bit.
        prop_assert_eq!(by_hand(parts.score).to_f64().to_bits(), assessment.score.0.to_bits());
        let product = by_hand(parts.mean).times(by_hand(parts.context_factor)).unwrap();
        prop_assert_eq!(product.minus(by_hand(parts.cut)).unwrap(), by_hand(parts.score));
        let weight = parts.memory_weight.map_or(Decimal::ZERO, by_hand);
        let rate = parts.memory_success_rate.map_or(Decimal::ONE, by_hand);
        let kept = Decimal::ONE.minus(weight).unwrap().times(by_hand(parts.posterior)).unwrap();
        let remembered = weight.times(Decimal::ONE.minus(rate).unwrap()).unwrap();
        prop_assert_eq!(kept.plus(remembered).unwrap(), by_hand(parts.mean));
        let terms = &parts.terms;
        let sum = by_hand(terms.posterior).plus(by_hand(terms.memory)).unwrap();
        prop_assert_eq!(sum.plus(by_hand(terms.context)).unwrap(), by_hand(parts.score));
        prop_assert!((0.0..=1.0).contains(&assessment.score.0));
    }

    #[test]
    fn risk_only_tightens(input in any_input()) {
        let assessment = assess(&input);
        for action in &input.actions {
            prop_assert!(assessment.tier >= action.tier);
        }
        let nowhere = RiskInput { similar: Vec::new(), ..input.clone() };
        prop_assert!(assessment.tier >= assess(&nowhere).tier);
        prop_assert!(assessment.verdict >= assess(&nowhere).verdict);
        let mut prod = input;
        prod.blast.environments = vec![EnvironmentClass::Prod];
        prop_assert!(assess(&prod).tier >= assessment.tier);
        prop_assert!(assess(&prod).verdict >= assessment.verdict);
    }

    #[test]
    fn more_failures_never_lower_score_or_tier(input in any_input(), more in 0.1..20.0f64) {
        let belief = input.belief.unwrap();
        let worse = Belief { alpha: Exact(belief.alpha.0 + more), ..belief };
        let worse = assess(&RiskInput { belief: Some(worse), ..input.clone() });
        let assessment = assess(&input);
        // Cut at 1, the product may be the double before 1.
        prop_assert!(worse.score.0 >= assessment.score.0.min(1.0_f64.next_down()));
        prop_assert!(worse.tier >= assessment.tier);
    }

    #[test]
    fn behaviour_17_any_record_verifies_after_a_round_trip(input in any_input()) {
        let text = serde_json::to_string(&Record::make(input)).unwrap();
        let record: Record = serde_json::from_str(&text).unwrap();
        prop_assert!(record.verify().is_ok());
    }
}
