use std::os::unix::fs::PermissionsExt as _;

use super::{Session, Sessions};

fn session(token: &str) -> Session {
    Session { token: token.to_owned(), tenant: "default".to_owned(), username: "ada".to_owned() }
}

#[test]
fn a_session_is_kept_per_server_for_its_owner_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = directory.path().join("countersign");
    let mut sessions = Sessions::open(&place).expect("no file is no session");
    sessions.keep("http://one", session("css_1")).expect("kept");
    sessions.keep("http://two", session("css_2")).expect("kept");
    let mut again = Sessions::open(&place).expect("read back");
    assert_eq!(again.get("http://one"), Some(&session("css_1")));
    again.forget("http://one").expect("forgotten");
    let again = Sessions::open(&place).expect("read back");
    assert_eq!(again.get("http://one"), None);
    assert_eq!(again.get("http://two"), Some(&session("css_2")));
    let mode = std::fs::metadata(again.path()).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_damaged_file_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("sessions.json"), "{").expect("written");
    let error = Sessions::open(directory.path()).expect_err("damaged");
    assert!(error.to_string().contains("sessions.json"), "{error}");
}

#[test]
fn a_token_is_not_printed_by_debug() {
    assert!(!format!("{:?}", session("css_secret")).contains("css_secret"));
}
