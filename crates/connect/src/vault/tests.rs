use std::os::unix::fs::PermissionsExt as _;

use model::id::TenantId;

use super::*;

fn vault(dir: &tempfile::TempDir) -> FileVault {
    FileVault::open(&dir.path().join("kek"), "test").unwrap()
}

fn place(tenant: TenantId) -> Place<'static> {
    Place {
        tenant,
        table: "credentials",
        row: uuid::Uuid::from_u128(7),
        field: "secret",
        version: 1,
    }
}

#[test]
fn s3_a_secret_opens_only_in_its_own_place() {
    let dir = tempfile::tempdir().unwrap();
    let vault = vault(&dir);
    let here = place(TenantId::generate());
    let sealed = vault.seal(&here, &Secret::from("hunter2".to_owned())).unwrap();
    assert_eq!(vault.open(&here, &sealed).unwrap().expose(), b"hunter2");

    let elsewhere = [
        Place { tenant: TenantId::generate(), ..here },
        Place { table: "api_keys", ..here },
        Place { row: uuid::Uuid::from_u128(8), ..here },
        Place { field: "other", ..here },
        Place { version: 2, ..here },
    ];
    for place in elsewhere {
        assert!(matches!(vault.open(&place, &sealed), Err(VaultError::Altered)), "{place:?}");
    }
}

#[test]
fn s3_swapped_and_truncated_parts_do_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let vault = vault(&dir);
    let here = place(TenantId::generate());
    let one = vault.seal(&here, &Secret::from("one".to_owned())).unwrap();
    let two = vault.seal(&here, &Secret::from("two".to_owned())).unwrap();
    let mut shorter = one.clone();
    shorter.ciphertext.pop();
    let altered = [
        Sealed { ciphertext: two.ciphertext.clone(), ..one.clone() },
        Sealed { wrapped_dek: two.wrapped_dek.clone(), ..one.clone() },
        Sealed { nonce: two.nonce, ..one },
        shorter,
    ];
    for sealed in altered {
        assert!(matches!(vault.open(&here, &sealed), Err(VaultError::Altered)));
    }
}

#[test]
fn the_same_secret_never_seals_to_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let vault = vault(&dir);
    let here = place(TenantId::generate());
    let secret = Secret::from("same".to_owned());
    let (one, two) = (vault.seal(&here, &secret).unwrap(), vault.seal(&here, &secret).unwrap());
    assert_ne!(one.ciphertext, two.ciphertext);
    assert_ne!(one.wrapped_dek, two.wrapped_dek);
}

#[test]
fn the_key_file_is_private_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let first = vault(&dir);
    let mode = std::fs::metadata(dir.path().join("kek")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(vault(&dir).kek_id(), first.kek_id());
    std::fs::write(dir.path().join("short"), b"x").unwrap();
    assert!(FileVault::open(&dir.path().join("short"), "test").is_err());
}

#[test]
fn t13_a_destroyed_tenant_key_closes_the_tenants_secrets_and_nobody_elses() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (TenantId::generate(), TenantId::generate());
    let (here, there) = (place(one), place(two));
    let before = vault(&dir);
    let mine = before.seal(&here, &Secret::from("mine".to_owned())).unwrap();
    let theirs = before.seal(&there, &Secret::from("theirs".to_owned())).unwrap();
    assert_ne!(mine.kek_id, theirs.kek_id, "each tenant has a key of its own");
    let key = dir.path().join("kek-tenants").join(one.uuid().to_string());
    let copy = std::fs::read(&key).unwrap();
    before.destroy(one).unwrap();
    // In this process and in the next, and however often.
    for vault in [&before, &vault(&dir)] {
        assert!(matches!(vault.open(&here, &mine), Err(VaultError::UnknownKey { .. })));
        let again = vault.seal(&here, &Secret::from("again".to_owned()));
        assert!(matches!(again, Err(VaultError::UnknownKey { .. })));
        assert_eq!(vault.open(&there, &theirs).unwrap().expose(), b"theirs");
        vault.destroy(one).unwrap();
    }
    assert!(!key.exists());
    // A key file another tenant's is put in place of opens nothing: it is bound to its tenant.
    std::fs::write(dir.path().join("kek-tenants").join(two.uuid().to_string()), copy).unwrap();
    assert!(vault(&dir).open(&there, &theirs).is_err());
}

#[test]
fn what_was_sealed_before_tenants_had_keys_still_opens() {
    let dir = tempfile::tempdir().unwrap();
    let vault = vault(&dir);
    let here = place(TenantId::generate());
    let (dek, nonce, wrap) = ([7; KEY_LEN], [1; NONCE_LEN], [2; NONCE_LEN]);
    let mut wrapped_dek = wrap.to_vec();
    wrapped_dek.extend(encrypt(&vault.kek, wrap, &vault.aad(&here, "data key"), &dek).unwrap());
    let sealed = Sealed {
        alg: ALGORITHM.to_owned(),
        kek_id: vault.kek_id().to_owned(),
        wrapped_dek,
        nonce: nonce.to_vec(),
        ciphertext: encrypt(&key(&dek).unwrap(), nonce, &vault.aad(&here, "secret"), b"old")
            .unwrap(),
        aad_version: AAD_VERSION,
    };
    assert_eq!(vault.open(&here, &sealed).unwrap().expose(), b"old");
}
