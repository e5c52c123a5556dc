use std::os::unix::fs::PermissionsExt as _;

use super::{Health, clock, data_dir, keys, port};

#[test]
fn keys_others_may_read_are_bad() {
    let data = tempfile::tempdir().expect("a directory");
    assert_eq!(keys(data.path()).health, Health::Good, "none yet");
    let directory = data.path().join("keys");
    std::fs::create_dir(&directory).expect("made");
    let open = |mode| {
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(mode)).expect("set");
        keys(data.path())
    };
    let found = open(0o755);
    assert_eq!(found.health, Health::Bad);
    assert!(found.hint.is_some_and(|hint| hint.starts_with("chmod 700 ")));
    assert_eq!(open(0o700).health, Health::Remark);
}

#[test]
fn a_port_somebody_else_holds_is_bad() {
    let held = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = held.local_addr().expect("an address");
    assert_eq!(port(address, false).health, Health::Bad);
    assert_eq!(port(address, true).health, Health::Good, "it is ours");
    drop(held);
    assert_eq!(port(address, false).health, Health::Good);
}

#[test]
fn a_data_directory_that_is_not_there_yet_is_no_problem() {
    let data = tempfile::tempdir().expect("a directory");
    let check = data_dir(&data.path().join("a/b"));
    assert_eq!(check.health, Health::Good);
    assert!(check.found.ends_with("would be made"), "{}", check.found);
    assert!(!data.path().join("a").exists(), "looking makes nothing");
}

#[test]
fn a_clock_that_is_minutes_off_is_bad() {
    let seconds = jiff::SignedDuration::from_secs;
    assert_eq!(clock(seconds(1)).health, Health::Good);
    let found = clock(seconds(-600));
    assert_eq!(found.health, Health::Bad);
    assert_eq!(found.found, "this machine's is 600 s behind the database's");
}
