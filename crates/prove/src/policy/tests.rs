//! Policies: who may sign which size.

use super::*;
use crate::keys::{Keyring, SigningKey};

const ORIGIN: &str = "audit.test/018f0000-0000-7000-8000-000000000001";

fn ring(seeds: &[u8]) -> Keyring {
    Keyring::of(seeds.iter().map(|s| SigningKey::from_seed(&[*s; 32]).unwrap()).collect()).unwrap()
}

fn note(seeds: &[u8], size: u64) -> String {
    let text = Checkpoint { origin: ORIGIN.to_owned(), size, root: [3; 32] }.to_string();
    ring(seeds).sign_note(ORIGIN, text).unwrap().to_string()
}

#[test]
fn a_policy_round_trips_and_names_the_line_that_is_wrong() {
    let mut policy = Policy::default();
    assert!(policy.follow(&ring(&[1]).verifiers(ORIGIN).unwrap(), 0));
    assert!(policy.follow(&ring(&[1, 2]).verifiers(ORIGIN).unwrap(), 10));
    assert!(policy.follow(&ring(&[2]).verifiers(ORIGIN).unwrap(), 20));
    assert!(!policy.follow(&ring(&[2]).verifiers(ORIGIN).unwrap(), 30));
    let text = policy.to_string();
    assert_eq!(text.parse(), Ok(policy));
    let with_comment = format!("# keys\n\n{text}x y z\n");
    assert_eq!(with_comment.parse::<Policy>().unwrap_err().line, 5);
}

#[test]
fn l8_the_old_key_is_refused_after_its_rotation_and_stays_good_before() {
    let mut policy = Policy::default();
    policy.follow(&ring(&[1]).verifiers(ORIGIN).unwrap(), 0);
    policy.follow(&ring(&[1, 2]).verifiers(ORIGIN).unwrap(), 10);
    policy.follow(&ring(&[2]).verifiers(ORIGIN).unwrap(), 20);
    for (seeds, size, accepted) in [
        (&[1_u8] as &[u8], 5, true),
        (&[1], 20, true),
        (&[1], 21, false),
        (&[2], 9, false),
        (&[2], 10, true),
        (&[1, 2], 15, true),
        (&[2], 1000, true),
        (&[3], 15, false),
    ] {
        assert_eq!(policy.open(&note(seeds, size), ORIGIN).is_ok(), accepted, "{seeds:?} {size}");
    }
    assert_eq!(
        policy.open(&note(&[1], 21), ORIGIN),
        Err(PolicyError::Range { size: 21 }),
        "signed well, but too late"
    );
}

#[test]
fn a_checkpoint_of_another_log_is_refused() {
    let policy = Policy::of(ring(&[1]).verifiers(ORIGIN).unwrap());
    assert!(policy.open(&note(&[1], 5), ORIGIN).is_ok());
    let other = policy.open(&note(&[1], 5), "audit.test/other");
    assert!(matches!(other, Err(PolicyError::Origin { .. })));
}

#[test]
fn a_deployment_is_named_like_a_host() {
    for good in ["test.example", "prod-1", "a"] {
        assert!(crate::checkpoint::valid_deployment(good), "{good}");
    }
    for bad in ["", "..", "a..b", "-a", ".a", "a.", "a/b", "A", "a b", "a+b", &"a".repeat(101)] {
        assert!(!crate::checkpoint::valid_deployment(bad), "{bad}");
    }
}

#[test]
fn checkpoints_have_one_form_only() {
    let good = Checkpoint { origin: ORIGIN.to_owned(), size: 12, root: [3; 32] };
    let text = good.to_string();
    assert_eq!(text.parse(), Ok(good));
    for bad in [
        text.replace("12", "012"),
        text.replace("12", "+12"),
        text.replace("12", "-1"),
        text.replace("12", "99999999999999999999"),
        format!("{text}extension\n"),
        text.trim_end().to_owned(),
        text.replacen(ORIGIN, "", 1),
        text.replace('=', ""),
    ] {
        assert_eq!(bad.parse::<Checkpoint>(), Err(CheckpointError), "{bad:?}");
    }
}
