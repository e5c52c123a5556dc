use super::*;

fn same(form: &Form, one: &str, other: &str) -> bool {
    let (one, other): (Value<'_>, Value<'_>) =
        (serde_json::from_str(one).unwrap(), serde_json::from_str(other).unwrap());
    let there = form.same(&one, &other);
    assert_eq!(form.same(&other, &one), there, "{one:?} {other:?}");
    there
}

fn check(form: &Form, same_as: &[[&str; 2]], other_than: &[[&str; 2]]) {
    for [one, other] in same_as {
        assert!(same(form, one, other), "{form:?}: {one} is {other}");
    }
    for [one, other] in other_than {
        assert!(!same(form, one, other), "{form:?}: {one} is not {other}");
    }
}

#[test]
fn lengths_of_time() {
    check(
        &Form::Duration,
        &[
            [r#""1h""#, r#""60m""#],
            [r#""3600s""#, "3600"],
            [r#""PT1H""#, r#""1h0m0s""#],
            [r#""P1D""#, r#""24h""#],
            [r#""1.5s""#, r#""1500ms""#],
        ],
        &[[r#""1h""#, r#""1m""#], [r#""later""#, r#""sooner""#], ["1", r#""1m""#]],
    );
}

#[test]
fn amounts() {
    check(
        &Form::Quantity,
        &[
            [r#""1Gi""#, r#""1024Mi""#],
            [r#""1000m""#, "1"],
            [r#""0.5""#, r#""500m""#],
            [r#""1e3""#, r#""1k""#],
            [r#""1G""#, "1000000000"],
            [r#""128974848""#, r#""123Mi""#],
            [r#""1 GiB""#, r#""1Gi""#],
        ],
        &[
            [r#""1Gi""#, r#""1G""#],
            [r#""1m""#, r#""1M""#],
            [r#""much""#, r#""much more""#],
            [r#""99999999999999999999999999999E""#, r#""1""#],
        ],
    );
}

#[test]
fn networks_moments_names() {
    check(
        &Form::Cidr,
        &[
            [r#""10.0.0.5/24""#, r#""10.0.0.0/24""#],
            [r#""10.0.0.1""#, r#""10.0.0.1/32""#],
            [r#""2001:DB8::/32""#, r#""2001:0db8:0:0::/32""#],
        ],
        &[[r#""10.0.0.0/24""#, r#""10.0.0.0/16""#], [r#""0.0.0.0/0""#, r#""::/0""#]],
    );
    check(
        &Form::Time,
        &[[r#""2024-01-01T00:00:00Z""#, r#""2024-01-01T01:00:00.000+01:00""#]],
        &[[r#""2024-01-01T00:00:00Z""#, r#""2024-01-01T00:00:01Z""#]],
    );
    check(
        &Form::Dns,
        &[[r#""Example.com.""#, r#""example.com""#], [r#""\\052.a.io""#, r#""*.a.io""#]],
        &[[r#""example.com""#, r#""example.org""#]],
    );
    check(
        &Form::Arn,
        &[
            [r#""arn:aws:iam::123456789012:role/app""#, r#""app""#],
            [
                r#""arn:aws:logs:eu-west-1:1:log-group:/a:*""#,
                r#""arn:aws:logs:eu-west-1:1:log-group:/a""#,
            ],
            [r#""arn:aws:kms:eu-west-1:1:key/abc""#, r#""abc""#],
            [r#""arn:aws:s3:::bucket""#, r#""bucket""#],
        ],
        &[
            [r#""arn:aws:iam::1:role/app""#, r#""pp""#],
            [r#""arn:aws:iam::1:role/app""#, r#""arn:aws:iam::2:role/app""#],
            [r#""arn:aws:iam::1:role/app""#, r#""""#],
        ],
    );
    check(
        &Form::Link,
        &[
            [r#""https://www.googleapis.com/compute/v1/projects/p/zones/z""#, r#""z""#],
            [r#""//compute.googleapis.com/projects/p/zones/z""#, r#""projects/p/zones/z""#],
        ],
        &[
            [r#""projects/p/zones/z""#, r#""projects/q/zones/z""#],
            [r#""projects/p/zones/az""#, r#""z""#],
            [r#""projects/p/zones/z""#, r#""""#],
        ],
    );
}

#[test]
fn bytes_lines_and_words() {
    check(
        &Form::Encoded,
        &[
            [r#""hello""#, r#""aGVsbG8=""#],
            [r#""hello""#, r#""aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d""#],
            [r#""aGVsbG8=""#, r#""aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d""#],
        ],
        &[[r#""hello""#, r#""aGVsbG9v""#], [r#""""#, r#""x""#]],
    );
    check(&Form::Lines, &[[r#""a  \r\nb\n""#, r#""a\nb""#]], &[[r#""a\n b""#, r#""a\nb""#]]);
    check(
        &Form::Aliases(vec![vec!["-1".to_owned(), "all".to_owned()]]),
        &[[r#""all""#, "-1"]],
        &[[r#""tcp""#, r#""all""#]],
    );
    check(&Form::Caseless, &[[r#""GP3""#, r#""gp3""#]], &[[r#""gp2""#, r#""gp3""#]]);
}

#[test]
fn scalars_of_other_types() {
    let loose = |one: &str, other: &str| {
        let read = |text| serde_json::from_str::<Value<'_>>(text).unwrap();
        loosely_same(&read(one), &read(other))
    };
    for [one, other] in
        [["true", r#""true""#], ["80", r#""80""#], ["1", "1.0"], ["1.5", r#""1.50""#]]
    {
        assert!(loose(one, other) && loose(other, one), "{one} is {other}");
    }
    for [one, other] in
        [[r#""1.0""#, r#""1""#], ["1", "true"], [r#""True""#, "true"], ["0", "null"]]
    {
        assert!(!loose(one, other) && !loose(other, one), "{one} is not {other}");
    }
}
