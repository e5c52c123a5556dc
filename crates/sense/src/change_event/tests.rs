use serde_json::json;

use super::*;

#[test]
fn s2_what_is_named_like_a_secret_is_left_out_however_deep_it_stands() {
    let canary = "canary-7f3a";
    let told = json!({
        "user_agent": "aws-cli/2", "Password": canary, "nested": {"api_key": canary, "size": 3},
        "list": [{"X-Amz-Security-Token": canary}, {"clientSecret": {"value": canary}}, "kept"],
        "accessKeyId": canary, "private-key": canary,
    });
    let kept = without_secrets(told);
    assert!(!kept.to_string().contains(canary), "{kept}");
    let expected = json!({
        "user_agent": "aws-cli/2", "nested": {"size": 3}, "list": [{}, {}, "kept"],
    });
    assert_eq!(kept, expected);
}

#[test]
fn a_commit_is_what_its_author_did_to_files() {
    let commit = Commit {
        hash: "3f2a".to_owned(),
        at: "2026-03-02T12:00:00Z".parse().unwrap(),
        author: "ada@example.org".to_owned(),
        message: "fix the pool".to_owned(),
        paths: vec!["infra/main.tf".to_owned()],
        addresses: Vec::new(),
    };
    let told = of_commits("git", None, std::slice::from_ref(&commit));
    assert_eq!((told[0].kind, told[0].external_id.as_str()), (ChangeKind::GitCommit, "3f2a"));
    assert_eq!((&told[0].paths, &told[0].actor), (&commit.paths, &Some(commit.author)));
}
