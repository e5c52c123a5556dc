//! Keys: files, rotation.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

#[test]
fn a_key_survives_its_file_and_nobody_else_may_read_it() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = Directory::new(temporary.path().join("keys"));
    let made = Keyring::open_or_create(&directory).unwrap();
    let read = Keyring::open_or_create(&directory).unwrap();
    assert_eq!(made.newest().public(), read.newest().public());
    let mode = |name: &str| {
        let path = temporary.path().join("keys").join(name);
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode("signing-0001.key"), 0o600);
    assert_eq!(mode(""), 0o700);
}

#[test]
fn rotation_overlaps_and_the_last_key_cannot_be_retired() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = Directory::new(temporary.path());
    let mut ring = Keyring::open_or_create(&directory).unwrap();
    let old = *ring.newest().public();
    assert!(matches!(ring.retire_oldest(&directory), Err(KeyringError::OnlyKey)));
    let new = *ring.rotate(&directory).unwrap().public();
    assert_ne!(old, new);
    let note = ring.sign_note("log.example", "text\n".to_owned()).unwrap();
    assert_eq!(note.signatures().len(), 2);
    ring.retire_oldest(&directory).unwrap();
    assert_eq!(ring.newest().public(), &new);
    let mut read = Keyring::open_or_create(&directory).unwrap();
    assert_eq!(read.verifiers("log.example").unwrap(), ring.verifiers("log.example").unwrap());
    assert_eq!(directory.list("").unwrap(), ["signing-0001.key.retired", "signing-0002.key"]);
    assert_eq!(Keyring::public_keys(&directory).unwrap(), [old, new], "the retired one included");
    read.rotate(&directory).unwrap();
    assert!(directory.list("").unwrap().contains(&"signing-0003.key".to_owned()));
}

#[test]
fn a_damaged_key_file_is_refused_rather_than_replaced() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = Directory::new(temporary.path());
    directory.write("signing-0001.key", b"nonsense", Readable::ByOwner).unwrap();
    let refused = Keyring::open_or_create(&directory);
    assert!(matches!(refused, Err(KeyringError::NoKey { .. })));
}

#[test]
fn keys_do_not_print_their_secret() {
    let key = SigningKey::from_seed(&[1; 32]).unwrap();
    let shown = format!("{key:?}");
    assert!(shown.contains(&key.fingerprint().to_string()));
    assert!(!shown.contains("0101"));
}
