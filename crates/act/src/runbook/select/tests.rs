//! Which servers are chosen.

use super::*;
use crate::runbook::compile::tests::{alert, candidate, runbook};
use serde_json::Value;

fn names(found: Result<Vec<Candidate>, SelectError>) -> Result<Vec<String>, SelectError> {
    found.map(|found| found.into_iter().map(|one| one.target.name).collect())
}

#[test]
fn an_alert_names_its_target_by_name_host_or_hostname() {
    let servers = [candidate("web1"), candidate("web2")];
    for instance in ["web1:9100", "web1", "WEB1", "web1.example.com:9100", "web1.local"] {
        let found =
            select_targets(&runbook("a"), Some(&alert(&[("instance", instance)])), &servers);
        assert_eq!(names(found), Ok(vec!["web1".to_owned()]), "{instance}");
    }
    let mut book = runbook("a");
    book.config.insert("target_label".to_owned(), Value::from("host"));
    let found = select_targets(&book, Some(&alert(&[("host", "web2")])), &servers);
    assert_eq!(names(found), Ok(vec!["web2".to_owned()]));
    let missing = select_targets(&book, Some(&alert(&[])), &servers).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "the alert ServiceDownNginx has no label host, which names the target"
    );
}

#[test]
fn addresses_lose_their_ports() {
    for (value, expected) in [
        ("10.0.0.1:9100", "10.0.0.1"),
        ("[::1]:9100", "::1"),
        ("::1", "::1"),
        ("web", "web"),
        ("web:http", "web:http"),
    ] {
        assert_eq!(without_port(value), expected);
    }
}

#[test]
fn none_and_several_are_errors_that_say_what_was_looked_for() {
    let mut twin = candidate("web9");
    twin.target.host = "web1.example.com".to_owned();
    let servers = [candidate("web1"), twin];
    let alert = alert(&[("instance", "web1.example.com:1")]);
    let SelectError::Ambiguous { found, .. } =
        select_targets(&runbook("a"), Some(&alert), &servers).unwrap_err()
    else {
        panic!()
    };
    assert_eq!(found, ["web1", "web9"]);
    let mut book = runbook("a");
    book.allowed_servers.names = vec!["db*".to_owned()];
    assert!(matches!(
        select_targets(&book, Some(&alert), &servers),
        Err(SelectError::NoneAllowed { candidates: 2, .. })
    ));
    book.allowed_servers.names = vec!["web9".to_owned()];
    let other = super::super::compile::tests::alert(&[("instance", "web1")]);
    let error = select_targets(&book, Some(&other), &servers).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no server is named web1, as the label instance says; the runbook may not touch web1"
    );
}

#[test]
fn every_list_of_the_selector_must_have_a_hit() {
    let server = candidate("web1");
    let list = |one: &str| vec![one.to_owned()];
    for (tags, groups, environments, names, expected) in [
        (vec![], vec![], vec![], vec![], true),
        (list("web"), list("front"), list("eu-live"), list("web*"), true),
        (list("db"), vec![], vec![], vec![], false),
        (vec!["db".to_owned(), "web".to_owned()], vec![], vec![], vec![], true),
        (vec![], list("back"), vec![], vec![], false),
        (vec![], vec![], list("production"), vec![], true),
        (vec![], vec![], list("staging"), vec![], false),
        (list("web"), vec![], vec![], list("db*"), false),
    ] {
        let mut book = runbook("a");
        book.allowed_servers = crate::runbook::Selector { tags, groups, environments, names };
        assert_eq!(allowed(&book, &server), expected, "{:?}", book.allowed_servers);
        // By hand, a server that is not allowed is an error, not left out.
        assert_eq!(select_targets(&book, None, std::slice::from_ref(&server)).is_ok(), expected);
    }
    assert!(select_targets(&runbook("a"), None, &[]).is_err());
}
