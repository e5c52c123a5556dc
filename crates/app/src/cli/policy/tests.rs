use super::{read, tested, told};
use judge::policy::Files;

fn bundle(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn the_shipped_bundle_passes_its_own_tests() {
    let outcome = tested(judge::policy::shipped_files());
    assert_eq!(outcome["ok"], true, "{}", told(&outcome));
    let tests = outcome["tests"].as_array().expect("a list");
    assert!(!tests.is_empty());
}

#[test]
fn what_does_not_parse_is_named_with_its_line_and_column() {
    let outcome =
        tested(bundle(&[("policy.rego", "package policy.assistant.v1\n\ndecision := {\n")]));
    assert_eq!(outcome["ok"], false);
    let text = told(&outcome);
    assert!(text.starts_with("policy.rego:"), "{text}");
    let problem = &outcome["problems"][0];
    assert!(problem["line"].as_u64().is_some_and(|line| line >= 3), "{problem}");
    assert!(text.ends_with("the bundle cannot be used"), "{text}");
}

#[test]
fn a_test_that_fails_is_named_and_fails_the_bundle() {
    let mut files = judge::policy::shipped_files();
    files.insert(
        "wrong_test.rego".to_owned(),
        "package policy.assistant.v1_test\n\nimport rego.v1\n\ntest_one_is_two if {\n\t1 == 2\n}\n"
            .to_owned(),
    );
    let outcome = tested(files);
    assert_eq!(outcome["ok"], false, "{}", told(&outcome));
    assert!(
        told(&outcome)
            .contains("wrong_test.rego:5:1: policy.assistant.v1_test.test_one_is_two failed"),
        "{}",
        told(&outcome)
    );
}

#[test]
fn files_are_named_by_their_path_in_the_directory() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(directory.path().join("lib")).expect("made");
    std::fs::write(directory.path().join("lib/a.rego"), "package a\n").expect("written");
    std::fs::write(directory.path().join("README.md"), "no policy").expect("written");
    let files = read(directory.path()).expect("read");
    assert_eq!(files.keys().collect::<Vec<_>>(), ["lib/a.rego"]);
    let empty = tempfile::tempdir().expect("a directory");
    assert!(read(empty.path()).is_err());
}
