use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use aws_lc_rs::digest;

use super::*;

fn envelope(dir: &Path) -> Envelope {
    let kek = |name| Arc::new(FileKek::open(&dir.join(name)).unwrap()) as Arc<dyn Kek>;
    Envelope::new("test", kek("kek"), kek("request-kek"))
}

fn place(tenant: TenantId) -> Place<'static> {
    let row = uuid::Uuid::from_u128(7);
    Place { tenant, table: "credentials", row, field: "secret", version: 1 }
}

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

async fn key(vault: &Envelope, tenant: TenantId) -> TenantKey {
    vault.new_key(tenant, Purpose::Change).await.unwrap()
}

#[tokio::test]
async fn s3_a_secret_opens_only_in_its_own_place() {
    let dir = tempfile::tempdir().unwrap();
    let vault = envelope(dir.path());
    let here = place(TenantId::generate());
    let key = key(&vault, here.tenant).await;
    let sealed = vault.seal(&key, &here, &secret("hunter2")).unwrap();
    assert_eq!(vault.open(Some(&key), here, &sealed).await.unwrap().expose(), b"hunter2");

    let elsewhere = [
        Place { tenant: TenantId::generate(), ..here },
        Place { table: "api_keys", ..here },
        Place { row: uuid::Uuid::from_u128(8), ..here },
        Place { field: "other", ..here },
        Place { version: 2, ..here },
    ];
    for place in elsewhere {
        let key = TenantKey { tenant: place.tenant, ..key.clone() };
        let opened = vault.open(Some(&key), place, &sealed).await;
        assert!(matches!(opened, Err(VaultError::Altered)), "{place:?}");
    }
    let other = Envelope { deployment: "other".to_owned(), ..envelope(dir.path()) };
    assert!(matches!(other.open(Some(&key), here, &sealed).await, Err(VaultError::Altered)));
}

#[tokio::test]
async fn s3_swapped_and_truncated_parts_do_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let vault = envelope(dir.path());
    let here = place(TenantId::generate());
    let key = key(&vault, here.tenant).await;
    let one = vault.seal(&key, &here, &secret("one")).unwrap();
    let two = vault.seal(&key, &here, &secret("two")).unwrap();
    let without = |sealed: &[u8]| sealed[..sealed.len() - 1].to_vec();
    let altered = [
        Sealed { ciphertext: two.ciphertext.clone(), ..one.clone() },
        Sealed { wrapped_dek: two.wrapped_dek.clone(), ..one.clone() },
        Sealed { nonce: two.nonce.clone(), ..one.clone() },
        Sealed { ciphertext: without(&one.ciphertext), ..one.clone() },
        Sealed { wrapped_dek: without(&one.wrapped_dek), ..one.clone() },
        Sealed { nonce: without(&one.nonce), ..one.clone() },
        Sealed { wrapped_dek: Vec::new(), ..one.clone() },
        Sealed { ciphertext: Vec::new(), ..one.clone() },
        Sealed { alg: "AES-128-GCM".to_owned(), ..one.clone() },
        Sealed { kek_id: TenantKeyId::generate().to_string(), ..one },
    ];
    for sealed in altered {
        let opened = vault.open(Some(&key), here, &sealed).await;
        assert!(matches!(opened, Err(VaultError::Altered)), "{sealed:?}");
    }
}

#[tokio::test]
async fn s3_a_tenants_key_opens_only_as_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let here = place(TenantId::generate());
    let (mine, other) = {
        let vault = envelope(dir.path());
        (key(&vault, here.tenant).await, key(&vault, TenantId::generate()).await)
    };
    let sealed = envelope(dir.path()).seal(&mine, &here, &secret("mine")).unwrap();
    let swapped = [
        // Another tenant's key in this row, whole or in part.
        TenantKey { public: other.public.clone(), wrapped: other.wrapped.clone(), ..mine.clone() },
        TenantKey { wrapped: other.wrapped.clone(), ..mine.clone() },
        TenantKey { public: other.public.clone(), ..mine.clone() },
        TenantKey { id: other.id, ..mine.clone() },
        TenantKey { purpose: Purpose::Request, ..mine.clone() },
        TenantKey { wrapped: mine.wrapped[1..].to_vec(), ..mine.clone() },
    ];
    for key in swapped {
        // A fresh vault each: none has the key opened already.
        let opened = envelope(dir.path()).open(Some(&key), here, &sealed).await;
        assert!(opened.is_err(), "{key:?}");
    }
}

#[tokio::test]
async fn s6_the_public_half_of_a_key_file_seals_and_does_not_open() {
    let (workers, apis) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let worker = envelope(workers.path());
    assert!(PublicKek::beside(&apis.path().join("kek")).is_err(), "there is none yet");
    std::fs::copy(workers.path().join("kek.pub"), apis.path().join("kek.pub")).unwrap();
    let public = Arc::new(PublicKek::beside(&apis.path().join("kek")).unwrap());
    let request = Arc::new(FileKek::open(&workers.path().join("request-kek")).unwrap());
    let api = Envelope::new("test", public, request);

    let here = place(TenantId::generate());
    let key = key(&api, here.tenant).await;
    let sealed = api.seal(&key, &here, &secret("hunter2")).unwrap();
    let refused = api.open(Some(&key), here, &sealed).await;
    assert!(matches!(refused, Err(VaultError::SealOnly)), "{refused:?}");
    assert!(matches!(api.rewrap_key(&key).await, Err(VaultError::SealOnly)));
    assert_eq!(worker.open(Some(&key), here, &sealed).await.unwrap().expose(), b"hunter2");
    // What requests are verified with it opens.
    let key = api.new_key(here.tenant, Purpose::Request).await.unwrap();
    let sealed = api.seal(&key, &here, &secret("hmac")).unwrap();
    assert_eq!(api.open(Some(&key), here, &sealed).await.unwrap().expose(), b"hmac");
}

#[tokio::test]
async fn s4_a_renewed_key_file_opens_what_the_one_before_wrapped() {
    let dir = tempfile::tempdir().unwrap();
    let here = place(TenantId::generate());
    // A process that runs through all of it.
    let running = envelope(dir.path());
    let before = key(&running, here.tenant).await;
    let sealed = running.seal(&before, &here, &secret("hunter2")).unwrap();
    let renewed = FileKek::renew(&dir.path().join("kek")).unwrap();
    assert_ne!(renewed, before.kek_id);
    for vault in [&running, &envelope(dir.path())] {
        let opened = vault.open(Some(&before), here, &sealed).await.unwrap();
        assert_eq!(opened.expose(), b"hunter2");
    }
    let after = running.rewrap_key(&before).await.unwrap();
    assert_eq!(after.kek_id, renewed);
    assert_eq!((&after.public, after.id), (&before.public, before.id));
    // Once the old file is gone, only what was rewrapped opens.
    let old = dir.path().join(format!("kek.{}", before.kek_id.trim_start_matches("file:")));
    std::fs::remove_file(old).unwrap();
    let fresh = envelope(dir.path());
    let gone = fresh.open(Some(&before), here, &sealed).await;
    assert!(matches!(gone, Err(VaultError::UnknownKey { .. })), "{gone:?}");
    assert_eq!(fresh.open(Some(&after), here, &sealed).await.unwrap().expose(), b"hunter2");
}

#[tokio::test]
async fn s4_another_tenants_key_takes_a_secret_over_without_opening_it() {
    let dir = tempfile::tempdir().unwrap();
    let vault = envelope(dir.path());
    let here = place(TenantId::generate());
    let (old, new) = (key(&vault, here.tenant).await, key(&vault, here.tenant).await);
    let before = vault.seal(&old, &here, &secret("hunter2")).unwrap();
    let after = vault.rewrap(Some(&old), &new, here, &before).await.unwrap();
    assert_eq!((&after.ciphertext, &after.nonce), (&before.ciphertext, &before.nonce));
    assert_eq!(vault.open(Some(&new), here, &after).await.unwrap().expose(), b"hunter2");
    assert!(vault.open(Some(&old), here, &after).await.is_err());
    let foreign = key(&vault, TenantId::generate()).await;
    assert!(vault.rewrap(Some(&old), &foreign, here, &before).await.is_err());
}

/// A secret as it was sealed before tenants had keys: the file's bytes wrap the data key.
fn sealed_at_first(vault: &Envelope, bytes: &[u8], place: &Place<'_>, text: &[u8]) -> Sealed {
    let (dek, nonce, wrap_nonce) = ([9; KEY_LEN], [1; NONCE_LEN], [2; NONCE_LEN]);
    let aes = |key: &[u8]| cipher::aes(key).unwrap();
    let aad = |purpose| vault.aad(place, purpose);
    let wrapped = cipher::encrypt(&aes(bytes), wrap_nonce, &aad("data key"), &dek).unwrap();
    let digest = digest::digest(&digest::SHA256, bytes);
    let id: String = digest.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    Sealed {
        alg: ALGORITHM.to_owned(),
        kek_id: format!("file:{id}"),
        wrapped_dek: [&wrap_nonce[..], &wrapped].concat(),
        nonce: nonce.to_vec(),
        ciphertext: cipher::encrypt(&aes(&dek), nonce, &aad("secret"), text).unwrap(),
        aad_version: AAD_VERSION,
    }
}

#[tokio::test]
async fn a_secret_from_before_tenants_had_keys_opens_and_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let vault = envelope(dir.path());
    let here = place(TenantId::generate());
    let bytes = std::fs::read(dir.path().join("kek")).unwrap();
    let first = sealed_at_first(&vault, &bytes, &here, b"old");
    assert_eq!(vault.open(None, here, &first).await.unwrap().expose(), b"old");
    let key = key(&vault, here.tenant).await;
    let taken = vault.rewrap(None, &key, here, &first).await.unwrap();
    assert_eq!(taken.ciphertext, first.ciphertext);
    assert_eq!(vault.open(Some(&key), here, &taken).await.unwrap().expose(), b"old");
    let elsewhere = Place { version: 2, ..here };
    assert!(matches!(vault.open(None, elsewhere, &first).await, Err(VaultError::Altered)));
}

#[tokio::test]
async fn the_same_secret_never_seals_to_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let vault = envelope(dir.path());
    let here = place(TenantId::generate());
    let key = key(&vault, here.tenant).await;
    let seal = || vault.seal(&key, &here, &secret("same")).unwrap();
    let (one, two) = (seal(), seal());
    assert_ne!(one.ciphertext, two.ciphertext);
    assert_ne!(one.wrapped_dek, two.wrapped_dek);
}

#[test]
fn the_key_file_is_private_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let first = FileKek::open(&dir.path().join("kek")).unwrap();
    let mode = std::fs::metadata(dir.path().join("kek")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = FileKek::open(&dir.path().join("kek")).unwrap();
    assert_eq!(again.fingerprints().unwrap(), first.fingerprints().unwrap());
    std::fs::write(dir.path().join("short"), b"x").unwrap();
    assert!(FileKek::open(&dir.path().join("short")).is_err());
}
