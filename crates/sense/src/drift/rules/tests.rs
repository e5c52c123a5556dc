use super::*;

#[test]
fn what_ships_can_be_read_and_says_where_it_comes_from() {
    let rules = Rules::shipped();
    assert!(rules.all.len() > 60, "{}", rules.all.len());
    for compiled in &rules.all {
        let rule = &compiled.rule;
        assert!(rule.source.len() > 10, "{rule:?}");
        assert!(!rule.types.is_empty() && !rule.paths.is_empty(), "{rule:?}");
    }
}

#[test]
fn nothing_that_lets_somebody_in_is_left_out() {
    for (kind, path) in [
        ("aws_security_group", "ingress"),
        ("aws_security_group", "egress"),
        ("aws_security_group_rule", "cidr_blocks"),
        ("aws_iam_role", "assume_role_policy"),
        ("aws_iam_policy", "policy"),
        ("aws_s3_bucket_policy", "policy"),
        ("aws_s3_bucket", "acl"),
        ("aws_kms_key", "policy"),
        ("aws_lambda_function", "role"),
        ("AWS::EC2::SecurityGroup", "SecurityGroupIngress"),
        ("AWS::IAM::Role", "AssumeRolePolicyDocument"),
        ("AWS::S3::Bucket", "PublicAccessBlockConfiguration"),
        ("ClusterRole", "rules"),
        ("ClusterRoleBinding", "subjects"),
        ("NetworkPolicy", "spec"),
        ("Deployment", "spec"),
    ] {
        let about = Rules::shipped().about(kind);
        let place = [Step::Name(path.to_owned())];
        assert_eq!(about.say(&place).ignore, None, "{kind} {path}");
        for inside in ["cidr_blocks", "Action", "x"] {
            let place = [place[0].clone(), Step::Index(0), Step::Name(inside.to_owned())];
            assert_eq!(about.say(&place).ignore, None, "{kind} {path}[0].{inside}");
        }
    }
}

#[test]
fn rules_of_one_language_say_nothing_of_another() {
    let status = [Step::Name("status".to_owned())];
    let ignored = |kind: &str| Rules::shipped().about(kind).say(&status).ignore;
    assert_eq!(ignored("Deployment"), Some(Reason::Managed));
    assert_eq!((ignored("aws_db_instance"), ignored("AWS::Lambda::Function")), (None, None));
}

#[test]
fn a_rule_that_says_nothing_or_has_a_bad_path_is_refused() {
    let rule = |paths: &str, ignore| Rule {
        types: vec!["*".to_owned()],
        paths: vec![paths.to_owned()],
        ignore,
        ..Rule::default()
    };
    assert!(matches!(Rules::of([rule("a", None)]), Err(BadRule::Idle { .. })));
    let bad = Rules::of([rule("a[", Some(Reason::Ignored))]);
    assert!(matches!(bad, Err(BadRule::Path { .. })));
}
