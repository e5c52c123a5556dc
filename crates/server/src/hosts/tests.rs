use db::testing::database;

use super::*;
use crate::login::setup::first_start;

fn key(kind: KeyKind, prints: &[&str]) -> HostKey {
    HostKey { kind, fingerprints: prints.iter().map(|print| (*print).to_owned()).collect() }
}

#[tokio::test]
async fn a_host_with_another_key_is_refused_and_told_which() {
    let test = database().await;
    let unready = join(&test.db, &[]).await;
    assert!(matches!(unready, Err(Refused::NotSetUp)), "{unready:?}");
    first_start(&test.db, |_| Ok(())).await.unwrap();
    let first = [key(KeyKind::Kek, &["file:1"]), key(KeyKind::Log, &["l1"])];
    join(&test.db, &first).await.unwrap();
    join(&test.db, &first).await.unwrap();
    // A host that needs one of them only.
    join(&test.db, &first[..1]).await.unwrap();
    for (other, word) in [
        ([key(KeyKind::Kek, &["file:2"]), key(KeyKind::Log, &["l1"])], "key-encryption key"),
        ([key(KeyKind::Kek, &["file:1"]), key(KeyKind::Log, &["l2"])], "signs the audit log"),
    ] {
        let refused = join(&test.db, &other).await.unwrap_err().to_string();
        assert!(refused.contains(word), "{refused}");
    }
}

#[tokio::test]
async fn a_newer_key_beside_the_present_one_becomes_the_present_one() {
    let test = database().await;
    first_start(&test.db, |_| Ok(())).await.unwrap();
    join(&test.db, &[key(KeyKind::Kek, &["file:1"])]).await.unwrap();
    join(&test.db, &[key(KeyKind::Kek, &["file:2", "file:1"])]).await.unwrap();
    // Whoever has the new one at all may go on; whoever lacks it may not.
    join(&test.db, &[key(KeyKind::Kek, &["file:1", "file:2"])]).await.unwrap();
    assert!(join(&test.db, &[key(KeyKind::Kek, &["file:1"])]).await.is_err());
}
