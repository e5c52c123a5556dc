use super::*;
use crate::drift::compare::{Comparison, Engine, Live};
use crate::drift::diff::Scope;
use crate::drift::rules::Rules;
use crate::drift::seal::Sealer;
use crate::drift::{Drift, DriftType};

/// A state with one instance, whose attributes are these.
fn state(attributes: &str) -> String {
    format!(
        r#"{{"version": 4, "terraform_version": "1.11.4", "serial": 3, "lineage": "x", "outputs": {{}},
        "resources": [
          {{"mode": "data", "type": "aws_ami", "name": "base", "provider": "p",
            "instances": [{{"schema_version": 0, "attributes": {{"id": "ami-1"}}}}]}},
          {{"module": "module.shop", "mode": "managed", "type": "aws_instance", "name": "web",
            "provider": "p", "instances": [
              {{"index_key": "a", "schema_version": 1, "attributes": {attributes},
                "sensitive_attributes": [[{{"type": "get_attr", "value": "user_data"}}]]}},
              {{"index_key": "old", "deposed": "1234", "attributes": {{"id": "i-0"}}}}]}}],
        "check_results": null}}"#
    )
}

fn compare(declared: &str, live: &str) -> Comparison {
    let sealer = Sealer::new(b"tests");
    let engine = Engine { rules: Rules::shipped(), scope: Scope::Whole, sealer: &sealer };
    let (Document::State(declared), Document::State(resources)) =
        (Document::read(declared).unwrap(), Document::read(live).unwrap())
    else {
        panic!("two states")
    };
    engine.compare(&declared, &Live { resources, ..Live::default() }).unwrap()
}

fn paths(drift: &Drift) -> Vec<&str> {
    drift.changes.iter().map(|change| change.path.as_str()).collect()
}

#[test]
fn a_state_is_compared_with_a_state_property_by_property() {
    let before = r#"{"id": "i-1", "instance_type": "t3.micro", "tags": {"a": "1"}, "user_data": "s3cr3t-a",
        "timeouts": null, "ebs_optimized": false, "monitoring": null, "root_block_device": [{"volume_size": 8}]}"#;
    let after = r#"{"id": "i-1", "instance_type": "t3.large", "tags": {"a": "1", "b": "2"}, "user_data": "s3cr3t-b",
        "timeouts": {"create": "1h"}, "ebs_optimized": "false", "root_block_device": [{"volume_size": 9}]}"#;
    let done = compare(&state(before), &state(after));
    assert_eq!((done.drifts.len(), done.in_sync, done.not_checked.len()), (1, 0, 0));
    let drift = &done.drifts[0];
    assert_eq!(drift.address, r#"module.shop.aws_instance.web["a"]"#);
    assert_eq!((drift.drift, drift.id.as_deref()), (DriftType::Modified, Some("i-1")));
    let expected = ["instance_type", "root_block_device[0].volume_size", "tags.b", "user_data"];
    assert_eq!(paths(drift), expected);
    let said = format!("{done:?}");
    assert!(!said.contains("s3cr3t"), "what is marked is sealed: {said}");
    assert_eq!(compare(&state(before), &state(after)), done, "the same again");
    assert_eq!(compare(&state(before), &state(before)).in_sync, 1);
}

#[test]
fn a_resource_that_is_gone_new_or_elsewhere_is_told_as_such() {
    let instance = r#"{"id": "i-1", "size": 1}"#;
    let here = state(instance);
    let elsewhere = here.replace(r#""name": "web""#, r#""name": "site""#);
    let moved = compare(&here, &elsewhere);
    assert_eq!(moved.drifts.len(), 1);
    assert_eq!(
        (moved.drifts[0].drift, paths(&moved.drifts[0])),
        (DriftType::Moved, vec!["address"])
    );
    let other = elsewhere.replace("i-1", "i-2");
    let kinds: Vec<_> = compare(&here, &other).drifts.iter().map(|drift| drift.drift).collect();
    assert_eq!(kinds, [DriftType::Added, DriftType::Deleted], "by address");
}

/// A plan whose `resource_drift` has one entry.
fn plan(before: &str, after: &str, marks: &str) -> String {
    format!(
        r#"{{"format_version": "1.2", "terraform_version": "1.11.4",
        "planned_values": {{"root_module": {{}}}}, "resource_changes": [
          {{"address": "aws_s3_bucket.a", "mode": "managed", "type": "aws_s3_bucket", "name": "a",
            "change": {{"actions": ["no-op"], "before": {{}}, "after": {{}}}}}}],
        "resource_drift": [
          {{"address": "aws_s3_bucket.a", "mode": "managed", "type": "aws_s3_bucket", "name": "a",
            "provider_name": "p", "change": {{"actions": ["update"], "before": {before},
            "after": {after}, "after_unknown": {{}}, "before_sensitive": {marks},
            "after_sensitive": {marks}}}}},
          {{"address": "data.aws_ami.x", "mode": "data", "type": "aws_ami", "name": "x",
            "change": {{"actions": ["read"], "before": null, "after": {{"id": "1"}}}}}}],
        "prior_state": {{"format_version": "1.0", "values": {{"root_module": {{"resources": [
          {{"address": "aws_s3_bucket.a", "mode": "managed", "type": "aws_s3_bucket", "name": "a",
            "values": {after}, "sensitive_values": {{}}}},
          {{"address": "aws_s3_bucket.b", "mode": "managed", "type": "aws_s3_bucket", "name": "b",
            "values": {{"id": "b"}}, "sensitive_values": {{}}}}]}}}}}}}}"#
    )
}

fn drifts(plan: &str) -> Comparison {
    let sealer = Sealer::new(b"tests");
    let engine = Engine { rules: Rules::shipped(), scope: Scope::Whole, sealer: &sealer };
    let Document::Plan(plan) = Document::read(plan).unwrap() else { panic!("a plan") };
    plan.drifts(&engine).unwrap()
}

#[test]
fn a_plan_says_what_changed_outside_even_when_nothing_is_to_be_done() {
    let text = plan(
        r#"{"id": "a", "tags": {"owner": "x"}, "policy": null, "key": "s3cr3t-a", "list": [{"p": "s3cr3t-c"}]}"#,
        r#"{"id": "a", "tags": {}, "policy": "", "key": "s3cr3t-b", "list": [{"p": "s3cr3t-d"}]}"#,
        r#"{"key": true, "list": [{"p": true}]}"#,
    );
    let done = drifts(&text);
    assert_eq!((done.drifts.len(), done.in_sync), (1, 1));
    assert_eq!(paths(&done.drifts[0]), ["key", "list[0].p", "tags.owner"]);
    assert!(!format!("{done:?}").contains("s3cr3t"), "{done:?}");
}

#[test]
fn what_a_plan_lists_though_it_is_the_same_is_no_drift() {
    let same = r#"{"id": "a", "tags": {}, "policy": "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:Get*\",\"Principal\":\"*\",\"Resource\":\"x\"}]}"}"#;
    let turned = r#"{"id": "a", "tags": null, "policy": "{\"Statement\":{\"Resource\":[\"x\"],\"Action\":[\"S3:Get*\"],\"Principal\":{\"AWS\":\"*\"},\"Effect\":\"Allow\"}}"}"#;
    assert_eq!(drifts(&plan(same, same, "{}")).drifts, []);
    assert_eq!(drifts(&plan(same, turned, "{}")).drifts, []);
    let gone = drifts(&plan(same, "null", "{}"));
    assert_eq!(gone.drifts[0].drift, DriftType::Deleted);
}

#[test]
fn documents_at_fault_give_one_clear_sentence() {
    let good = state(r#"{"id": "i-1"}"#);
    let cut = good.get(..good.len() / 2).unwrap().to_owned();
    for (text, says) in [
        (String::new(), "cut off"),
        (cut, "cut off"),
        ("not json".to_owned(), "neither"),
        ("[]".to_owned(), "neither"),
        ("{}".to_owned(), "neither"),
        (good.replace("\"version\": 4", "\"version\": 3"), "version 3"),
        (good.replace("\"version\": 4", "\"version\": 99999"), "version 99999"),
        (good.replace("\"version\": 4", "\"version\": \"4\""), "invalid type"),
        (good.replace("\"version\": 4", "\"version\": 4, \"version\": 4"), "duplicate field"),
        (good.replace("\"mode\": \"managed\"", "\"mode\": 7"), "invalid type"),
        (r#"{"format_version": "2.0", "values": {}}"#.to_owned(), "2.0"),
        (
            format!(
                r#"{{"version": 4, "resources": {}{}}}"#,
                "[".repeat(10_000),
                "]".repeat(10_000)
            ),
            "invalid type",
        ),
    ] {
        let said = Document::read(&text).map(drop).unwrap_err().to_string();
        assert!(said.contains(says), "{said:?} does not say {says:?}");
        assert!(said.matches("line ").count() <= 1, "the place is told once: {said}");
        assert!(said.len() < 300, "{said}");
    }
}

#[test]
fn what_is_no_part_of_a_document_may_be_anything() {
    let odd = r#""values": 7, "resource_drift": "x", "prior_state": [], "#;
    let text = state(r#"{"id": "i-1"}"#).replacen('{', &format!("{{{odd}"), 1);
    assert!(matches!(Document::read(&text).unwrap(), Document::State(known) if known.len() == 1));
    let text = plan("{}", r#"{"id": "a"}"#, "{}").replacen('{', r#"{"resources": 7, "#, 1);
    assert!(
        matches!(Document::read(&text).unwrap(), Document::Plan(plan) if plan.known.len() == 2)
    );
}

#[test]
fn attributes_at_fault_name_their_resource() {
    let good = state(r#"{"id": "i-1", "a": 1}"#);
    for (attributes, says) in [
        (r#"{"id": "i-1", "a": 2, "a": 1}"#.to_owned(), "twice"),
        (
            format!(r#"{{"id": "i-1", "a": {}1{}}}"#, "[".repeat(5_000), "]".repeat(5_000)),
            "recursion",
        ),
    ] {
        let bad = state(&attributes);
        let sealer = Sealer::new(b"tests");
        let engine = Engine { rules: Rules::shipped(), scope: Scope::Whole, sealer: &sealer };
        let (Document::State(declared), Document::State(resources)) =
            (Document::read(&good).unwrap(), Document::read(&bad).unwrap())
        else {
            panic!("two states")
        };
        let error = engine.compare(&declared, &Live { resources, ..Live::default() }).unwrap_err();
        assert!(error.address.contains("aws_instance.web"), "{error}");
        assert!(error.source.to_string().contains(says), "{:?}", error.source);
    }
}
