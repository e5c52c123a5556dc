pub(crate) mod fake;

use std::path::Path;
use std::sync::Arc;

use model::id::TenantId;
use model::vault::{Place, Purpose, Vault as _};

use super::*;
use crate::vault::Envelope;
use fake::FakeVault;

const KEY: &str = "countersign";

/// Vault as a process sees it that holds this token.
fn transit(vault: &FakeVault, dir: &Path, token: &str) -> Transit {
    let token_file = dir.join(token);
    std::fs::write(&token_file, format!("{token}\n")).unwrap();
    let (address, mount, key) = (vault.url(), "transit".to_owned(), KEY.to_owned());
    Transit::new(Settings { address, mount, key, token_file }, Rules::default()).unwrap()
}

async fn vault(derived: bool) -> FakeVault {
    let vault = FakeVault::start().await;
    vault.add_key(KEY, derived);
    vault.token("worker", &["encrypt", "decrypt", "rewrap"]);
    vault.token("api", &["encrypt"]);
    vault
}

#[tokio::test]
async fn s3_what_vault_wrapped_for_one_place_does_not_unwrap_in_another() {
    let dir = tempfile::tempdir().unwrap();
    for derived in [true, false] {
        let vault = vault(derived).await;
        let kek = transit(&vault, dir.path(), "worker");
        let wrapped = kek.wrap(b"here", &[7; KEY_LEN]).await.unwrap();
        assert_eq!(wrapped.kek_id, "transit:transit/countersign");
        assert_eq!(&kek.unwrap(b"here", &wrapped).await.unwrap()[..], [7; KEY_LEN]);
        let elsewhere = kek.unwrap(b"there", &wrapped).await;
        assert!(matches!(elsewhere, Err(VaultError::Altered)), "{elsewhere:?}");
        let mut altered = wrapped.clone();
        altered.bytes.truncate(altered.bytes.len() - 8);
        assert!(matches!(kek.unwrap(b"here", &altered).await, Err(VaultError::Altered)));
        let other = Wrapped { kek_id: "transit:transit/other".to_owned(), ..wrapped };
        assert!(matches!(kek.unwrap(b"here", &other).await, Err(VaultError::UnknownKey { .. })));
    }
}

#[tokio::test]
async fn s4_rewrapping_in_vault_moves_to_the_newest_version_and_old_ones_may_be_retired() {
    let (dir, vault) = (tempfile::tempdir().unwrap(), vault(true).await);
    let kek = transit(&vault, dir.path(), "worker");
    let first = kek.wrap(b"here", &[7; KEY_LEN]).await.unwrap();
    vault.rotate(KEY);
    assert_eq!(&kek.unwrap(b"here", &first).await.unwrap()[..], [7; KEY_LEN], "dual read");
    let second = kek.rewrap(b"here", &first).await.unwrap();
    assert!(second.bytes.starts_with(b"vault:v2:"));
    vault.min_decryption_version(KEY, 2);
    assert!(matches!(kek.unwrap(b"here", &first).await, Err(VaultError::Retired { .. })));
    assert_eq!(&kek.unwrap(b"here", &second).await.unwrap()[..], [7; KEY_LEN]);
    // Rewrapping shows Vault's caller no key.
    assert_eq!(vault.calls().iter().filter(|call| call.starts_with("rewrap")).count(), 1);
}

#[tokio::test]
async fn s6_a_token_that_may_encrypt_alone_seals_and_does_not_open() {
    let (dir, vault) = (tempfile::tempdir().unwrap(), vault(true).await);
    let of = |token| {
        let kek: Arc<dyn Kek> = Arc::new(transit(&vault, dir.path(), token));
        Envelope::new("test", Arc::clone(&kek), kek)
    };
    let (api, worker) = (of("api"), of("worker"));
    let tenant = TenantId::generate();
    let place = Place { tenant, table: "t", row: uuid::Uuid::nil(), field: "f", version: 1 };
    let key = api.new_key(tenant, Purpose::Change).await.unwrap();
    let sealed = api.seal(&key, &place, &Secret::from("hunter2".to_owned())).unwrap();
    let refused = api.open(Some(&key), place, &sealed).await.unwrap_err();
    assert!(matches!(refused, VaultError::Refused { .. }), "{refused}");
    assert!(api.rewrap_key(&key).await.is_err());
    assert_eq!(worker.open(Some(&key), place, &sealed).await.unwrap().expose(), b"hunter2");
}

#[tokio::test]
async fn an_opened_key_is_kept_for_a_while_and_no_longer() {
    let (dir, vault) = (tempfile::tempdir().unwrap(), vault(true).await);
    let kek: Arc<dyn Kek> = Arc::new(transit(&vault, dir.path(), "worker"));
    let mut envelope = Envelope::new("test", Arc::clone(&kek), kek);
    let tenant = TenantId::generate();
    let place = Place { tenant, table: "t", row: uuid::Uuid::nil(), field: "f", version: 1 };
    let key = envelope.new_key(tenant, Purpose::Change).await.unwrap();
    let sealed = envelope.seal(&key, &place, &Secret::from("s".to_owned())).unwrap();
    let decrypted = || vault.calls().iter().filter(|call| call.starts_with("decrypt")).count();
    for _ in 0..5 {
        envelope.open(Some(&key), place, &sealed).await.unwrap();
    }
    assert_eq!(decrypted(), 1);
    // Vault's failure is not noticed while the key is kept, and told once it is not.
    vault.seal(true);
    envelope.open(Some(&key), place, &sealed).await.unwrap();
    envelope.keep = Duration::ZERO;
    let down = envelope.open(Some(&key), place, &sealed).await.unwrap_err();
    assert!(matches!(&down, VaultError::Unavailable { reason } if reason.contains("sealed")));
    vault.seal(false);
    envelope.open(Some(&key), place, &sealed).await.unwrap();
    assert_eq!(decrypted(), 2);
}

#[tokio::test]
async fn what_vault_complains_about_is_told_apart() {
    let (dir, vault) = (tempfile::tempdir().unwrap(), vault(true).await);
    let stranger = transit(&vault, dir.path(), "stranger");
    let refused = stranger.wrap(b"here", &[7; KEY_LEN]).await;
    assert!(matches!(refused, Err(VaultError::Refused { .. })), "{refused:?}");
    // A renewed token is taken up at the next call.
    std::fs::write(dir.path().join("stranger"), "worker").unwrap();
    stranger.wrap(b"here", &[7; KEY_LEN]).await.unwrap();
    let mut elsewhere = transit(&vault, dir.path(), "worker");
    elsewhere.settings.key = "nowhere".to_owned();
    let unknown = elsewhere.wrap(b"here", &[7; KEY_LEN]).await;
    assert!(matches!(unknown, Err(VaultError::UnknownKey { .. })), "{unknown:?}");
    elsewhere.settings.address = "http://127.0.0.1:1".to_owned();
    let down = elsewhere.wrap(b"here", &[7; KEY_LEN]).await;
    assert!(matches!(down, Err(VaultError::Unavailable { .. })), "{down:?}");
    elsewhere.settings.token_file = dir.path().join("none");
    assert!(matches!(elsewhere.wrap(b"", b"").await, Err(VaultError::Unavailable { .. })));
}
