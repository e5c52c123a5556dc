use std::sync::Arc;

use connect::Outbound;
use connect::outbound::Rules;
use connect_aws::testing;
use connect_aws::{Credentials, Limits};
use model::Clock;
use model::drift::DriftType;
use model::secret::Secret;

use super::*;

/// The real time: calls are signed with it.
struct RealTime;

impl Clock for RealTime {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that others are given")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

fn account(fake: &testing::Trail) -> Aws {
    let rules = Rules::default().allowing("127.0.0.1:*".parse().unwrap());
    let keys = Credentials {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: Secret::from("key".to_owned()),
        session_token: None,
        expires_at: None,
    };
    let limits = Limits {
        share: 1_000.0,
        first_wait: Duration::from_millis(1),
        tries: 2,
        ..Limits::default()
    };
    let (way, clock) = (Outbound::new(rules).unwrap(), Arc::new(RealTime));
    Aws::new(way, keys, "eu-central-1", Some(&fake.endpoint), clock, limits).unwrap()
}

fn drift(kind: &str, id: Option<&str>) -> Drift {
    Drift {
        address: "it".to_owned(),
        kind: kind.to_owned(),
        id: id.map(str::to_owned),
        drift: DriftType::Modified,
        changes: Vec::new(),
        declared: None,
        actual: None,
    }
}

const ADA: &str = "arn:aws:iam::123456789012:user/ada";
const GROUP: &str = "aws_security_group";

#[tokio::test]
async fn who_changed_what_drifted_is_told_the_same_every_time() {
    let fake = testing::Trail::start(None).await;
    let now = RealTime.now();
    let at = now.as_second();
    for (id, at, resource) in [
        ("old", at - 100_000, "sg-1"),
        ("a", at - 60, "sg-1"),
        ("b", at - 50, "sg-1"),
        ("c", at - 40, "sg-1"),
        ("other", at - 30, "sg-2"),
    ] {
        fake.called((id, "AuthorizeSecurityGroupIngress"), ADA, at, &[resource]);
    }
    let drifts = [
        drift(GROUP, Some("sg-1")),
        drift("AWS::EC2::SecurityGroup", Some("sg-1")),
        drift("ConfigMap", Some("sg-2")),
        drift(GROUP, None),
    ];
    let aws = account(&fake);
    let trail = of(&aws, &drifts, now).await;
    let ids: Vec<&str> = trail.happened.iter().map(|one| one.external_id.as_str()).collect();
    assert_eq!((ids, &trail.unknown), (vec!["a", "b", "c"], &None));
    let one = &trail.happened[0];
    assert_eq!((one.kind, one.actor.as_deref()), (ChangeKind::AuditEvent, Some(ADA)));
    assert_eq!(
        (&one.resources[..], one.summary.as_str()),
        (&["sg-1".to_owned()][..], "AuthorizeSecurityGroupIngress")
    );
    assert_eq!(one.data["user_agent"], "console.amazonaws.com");
    // Two pages about one resource, and nothing about what is not AWS's.
    assert_eq!(fake.asked(), ["sg-1", "sg-1"]);
    assert_eq!(of(&aws, &drifts, now).await, trail);
}

#[tokio::test]
async fn what_may_not_be_asked_is_said_and_nobody_is_asked_again() {
    let fake = testing::Trail::start(None).await;
    fake.fails(Some("AccessDeniedException"));
    let drifts = [drift(GROUP, Some("sg-1")), drift(GROUP, Some("sg-2"))];
    let trail = of(&account(&fake), &drifts, RealTime.now()).await;
    let why = "who changed it is known of 0 of 2 resources alone: cloudtrail:LookupEvents was \
               refused: AccessDeniedException";
    assert_eq!((trail.unknown.as_deref(), trail.happened.len()), (Some(why), 0));
    assert_eq!(fake.asked(), ["sg-1"]);
    fake.fails(Some("ThrottlingException"));
    let trail = of(&account(&fake), &drifts, RealTime.now()).await;
    assert!(trail.unknown.unwrap().ends_with("was put off: ThrottlingException"));
    assert_eq!(fake.asked(), ["sg-1", "sg-1", "sg-1"]);
}

#[tokio::test]
async fn asking_is_bounded_in_number_and_in_time() {
    let fake = testing::Trail::start(None).await;
    let name = |number: usize| format!("sg-{number:03}");
    let drifts: Vec<Drift> =
        (0..MOST_ASKED + 20).map(|number| drift(GROUP, Some(&name(number)))).collect();
    let trail = of(&account(&fake), &drifts, RealTime.now()).await;
    let why = "who changed it is known of 100 of 120 resources alone: no more than 100 are asked \
               about";
    assert_eq!((trail.unknown.as_deref(), fake.asked().len()), (Some(why), MOST_ASKED));
    let trail = within(&account(&fake), &drifts, RealTime.now(), Duration::ZERO).await;
    assert!(trail.unknown.unwrap().ends_with("it took more than 0 seconds"));
    assert!(of(&account(&fake), &[], RealTime.now()).await == Trail::default());
}
