//! The command, without any cloud: what it reads, what it prints, and how it ends.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn countersign(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_countersign")).args(arguments).output().unwrap()
}

fn state(instance_type: &str, secret: &str) -> String {
    json!({
        "version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "x",
        "resources": [{
            "mode": "managed", "type": "aws_instance", "name": "web", "provider": "p",
            "instances": [{"attributes": {
                "id": "i-1", "instance_type": instance_type, "tags": {"a|b": "<b>`x`"},
                "admin_password": secret,
            }}],
        }],
    })
    .to_string()
}

fn files(dir: &Path) -> (String, String) {
    let file = |name: &str, text: String| {
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    (
        file("declared.json", state("t3.micro", "canary-4711")),
        file("actual.json", state("t3.large", "canary-0815")),
    )
}

#[test]
fn every_report_tells_the_same_and_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let (declared, actual) = files(dir.path());
    let scan = |report: &str| {
        let output =
            countersign(&["drift", "scan", &declared, "--against", &actual, "--report", report]);
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains("canary"), "{report}: {text}");
        assert!(text.contains("aws_instance.web") && text.contains("t3.large"), "{report}: {text}");
        text
    };
    let report: Value = serde_json::from_str(&scan("json")).unwrap();
    let paths: Vec<_> = report["drifts"][0]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["property_path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["admin_password", "instance_type"]);
    let sarif: Value = serde_json::from_str(&scan("sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 1);
    for report in ["table", "junit", "markdown"] {
        scan(report);
    }
}

#[test]
fn the_exit_code_says_whether_it_is_as_severe_as_asked() {
    let dir = tempfile::tempdir().unwrap();
    let (declared, actual) = files(dir.path());
    let code = |more: &[&str]| {
        let mut arguments = vec!["drift", "scan", &declared, "--against", &actual];
        arguments.extend(more);
        countersign(&arguments).status.code()
    };
    assert_eq!(code(&[]), Some(1));
    assert_eq!(code(&["--against", &declared]), Some(2), "given twice");
    let same = countersign(&["drift", "scan", &declared, "--against", &declared]);
    assert_eq!(same.status.code(), Some(0));
    let rules = dir.path().join("rules.yaml");
    std::fs::write(
        &rules,
        "rules:\n- {types: [aws_instance], paths: [instance_type, admin_password], ignore: ignored}\n",
    )
    .unwrap();
    assert_eq!(code(&["--rules", rules.to_str().unwrap()]), Some(0));
    std::fs::write(&rules, "rules:\n- {types: [aws_instance], paths: [instance_type]}\n").unwrap();
    assert_eq!(code(&["--rules", rules.to_str().unwrap()]), Some(1), "a rule that says nothing");
}

#[test]
fn documents_that_cannot_be_read_are_said_in_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let good = state("t3.micro", "x");
    let (cut, _) = good.split_at(good.len() / 2);
    for (name, text, says) in [
        ("cut.json", cut.as_bytes().to_vec(), "cut off"),
        ("bytes.json", vec![0xff, 0xfe, 0x00], "UTF-8"),
        ("version.json", good.replace("\"version\":4", "\"version\":9").into_bytes(), "version 9"),
        ("empty.json", Vec::new(), "cut off"),
    ] {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap();
        let output = countersign(&["drift", "scan", path, "--against", path]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains(says) && told.contains(name), "{told}");
        assert!(output.stdout.is_empty(), "nothing is told of what cannot be read");
    }
    // A gigabyte of nothing takes no gigabyte to refuse.
    let large = dir.path().join("large.json");
    std::fs::File::create(&large).unwrap().set_len(1 << 30).unwrap();
    let output = countersign(&["drift", "scan", large.to_str().unwrap()]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && told.contains("512 MiB"), "{told}");
}
