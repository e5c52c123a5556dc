//! S4: keys are rotated under ten thousand secrets, while executions run and workers are killed.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use connect::vault::{Envelope, FileKek, Kek};
use model::id::{CredentialId, OnceId, TenantKeyId, UserId};
use model::secret::Secret;
use model::vault::{Place, Purpose, TenantKey, Vault as _};
use sense::store::sealed::{self, Holder};
use sense::store::{credential, once};
use serde_json::json;
use uuid::Uuid;

use super::checker::assert_holds;
use super::deployment::{Deployment, word};
use super::process::Setup;
use super::runbooks::{Step, runbook};
use super::s1::{Search, dump};
use super::until;

const SECRETS: usize = 10_000;
/// Second factors, and secrets told once: more than are taken over at a time.
const OTHERS: usize = 150;
/// Executions asked for before each of two workers dies, and before each of those that go on: fifty.
const EXECUTIONS: [usize; 4] = [15, 10, 15, 10];

/// What every one of the secrets says, so that it is known wherever it is.
const MARK: &str = "S4mark8Kd2Vw6Yb0Hn4Tg";

/// The vault workers of this deployment have.
fn vault(deployment: &Deployment) -> Envelope {
    let kek = |name: &str| -> Arc<dyn Kek> {
        Arc::new(FileKek::open(&deployment.dir.path().join("keys").join(name)).unwrap())
    };
    Envelope::new("local", kek("kek"), kek("request-kek"))
}

/// The tenant's keys of a purpose, oldest first.
async fn keys(deployment: &Deployment, purpose: Purpose) -> Vec<TenantKey> {
    let rows: Vec<(Uuid, Vec<u8>, String, Vec<u8>)> = sqlx::query_as(
        "SELECT id, public_key, kek_id, wrapped FROM countersign.tenant_keys
         WHERE tenant_id = $1 AND purpose = $2 ORDER BY generation",
    )
    .bind(deployment.tenant().uuid())
    .bind(purpose.word())
    .fetch_all(deployment.test.admin())
    .await
    .unwrap();
    rows.into_iter()
        .map(|(id, public, kek_id, wrapped)| TenantKey {
            id: TenantKeyId::from(id),
            tenant: deployment.tenant(),
            purpose,
            public,
            kek_id,
            wrapped,
        })
        .collect()
}

/// Seals many secrets, as the API does, and writes them at once.
async fn seal_many(deployment: &Deployment) {
    let (vault, key) = (vault(deployment), keys(deployment, Purpose::Change).await.remove(0));
    let (mut ids, mut wrapped, mut nonces, mut texts) = (vec![], vec![], vec![], vec![]);
    for number in 0..SECRETS {
        let id = CredentialId::generate();
        let place = credential::place(deployment.tenant(), id, 1);
        let secret = Secret::from(format!("{MARK}{number}"));
        let sealed = vault.seal(&key, &place, &secret).unwrap();
        ids.push(id.uuid());
        wrapped.push(sealed.wrapped_dek);
        nonces.push(sealed.nonce);
        texts.push(sealed.ciphertext);
    }
    sqlx::query(
        "INSERT INTO countersign.credentials
           (tenant_id, id, name, kind, version, alg, kek_id, wrapped_dek, nonce, ciphertext,
            aad_version, created_by, tenant_key_id)
         SELECT $1, s.id, s.id::text, 'password', 1, 'AES-256-GCM', $6, s.wrapped, s.nonce, s.text,
                1, (SELECT id FROM countersign.actors WHERE tenant_id = $1 LIMIT 1), $7
         FROM unnest($2::uuid[], $3::bytea[], $4::bytea[], $5::bytea[])
           AS s (id, wrapped, nonce, text)",
    )
    .bind(deployment.tenant().uuid())
    .bind(ids)
    .bind(wrapped)
    .bind(nonces)
    .bind(texts)
    .bind(key.id.to_string())
    .bind(key.id.uuid())
    .execute(deployment.test.admin())
    .await
    .unwrap();
}

/// Seals second factors and secrets told once, as the API does, and writes them at once.
async fn seal_others(deployment: &Deployment) {
    let (vault, key) = (vault(deployment), keys(deployment, Purpose::Request).await.remove(0));
    let tenant = deployment.tenant();
    let people = "INSERT INTO countersign.actors (tenant_id, id, type, display_name, roles)
                  SELECT $1, s.id, 'user', s.id::text, ARRAY['viewer']
                  FROM unnest($2::uuid[]) AS s (id)";
    let users = "INSERT INTO countersign.users (tenant_id, id, actor_id, username)
                 SELECT $1, s.id, s.id, s.id::text FROM unnest($2::uuid[]) AS s (id)";
    let factors = "INSERT INTO countersign.second_factors
                     (tenant_id, id, user_id, alg, kek_id, wrapped_dek, nonce, ciphertext)
                   SELECT $1, s.id, s.id, 'AES-256-GCM', $6, s.wrapped, s.nonce, s.text
                   FROM unnest($2::uuid[], $3::bytea[], $4::bytea[], $5::bytea[])
                     AS s (id, wrapped, nonce, text)";
    let told = "INSERT INTO countersign.one_time_secrets
                  (tenant_id, id, token_hash, tenant_key_id, alg, kek_id, wrapped_dek, nonce,
                   ciphertext, aad_version, created_by, expires_at)
                SELECT $1, s.id, sha256(s.id::text::bytea), $7, 'AES-256-GCM', $6, s.wrapped,
                       s.nonce, s.text, 1,
                       (SELECT id FROM countersign.actors WHERE tenant_id = $1 LIMIT 1),
                       clock_timestamp() + interval '1 day'
                FROM unnest($2::uuid[], $3::bytea[], $4::bytea[], $5::bytea[])
                  AS s (id, wrapped, nonce, text)";
    for holder in [Holder::SecondFactors, Holder::OneTimeSecrets] {
        let (mut ids, mut wrapped, mut nonces, mut texts) = (vec![], vec![], vec![], vec![]);
        for number in 0..OTHERS {
            let id = UserId::generate().uuid();
            let place = match holder {
                Holder::OneTimeSecrets => once::place(tenant, OnceId::from(id)),
                _ => {
                    let table = "second_factors";
                    Place { tenant, table, row: id, field: "secret", version: 1 }
                }
            };
            let secret = Secret::from(format!("{MARK}{holder}{number}"));
            let sealed = vault.seal(&key, &place, &secret).unwrap();
            ids.push(id);
            wrapped.push(sealed.wrapped_dek);
            nonces.push(sealed.nonce);
            texts.push(sealed.ciphertext);
        }
        let admin = deployment.test.admin();
        let rows = if holder == Holder::SecondFactors {
            for statement in [people, users] {
                sqlx::query(statement).bind(tenant.uuid()).bind(&ids).execute(admin).await.unwrap();
            }
            factors
        } else {
            told
        };
        let query = sqlx::query(rows).bind(tenant.uuid()).bind(ids).bind(wrapped).bind(nonces);
        let query = query.bind(texts).bind(key.id.to_string());
        let query = if rows == told { query.bind(key.id.uuid()) } else { query };
        query.execute(admin).await.unwrap();
    }
}

/// A hash over what encrypts the secrets themselves.
async fn encrypted(deployment: &Deployment) -> String {
    sqlx::query_scalar(
        "SELECT md5(string_agg(encode(nonce || ciphertext, 'hex'), ',' ORDER BY id))
         FROM (SELECT id, nonce, ciphertext FROM countersign.credentials
               UNION ALL SELECT id, nonce, ciphertext FROM countersign.second_factors
               UNION ALL SELECT id, nonce, ciphertext FROM countersign.one_time_secrets) held",
    )
    .fetch_one(deployment.test.admin())
    .await
    .unwrap()
}

async fn rotate(deployment: &Deployment, kind: &str) {
    let asked = json!({ "kind": kind });
    deployment.post(&deployment.admin, "/key-rotations", &asked).await;
}

/// The tenant's latest rotation: its state, and how many secrets it has gone through.
async fn latest(deployment: &Deployment) -> (String, usize) {
    let row: (String, i32) = sqlx::query_as(
        "SELECT state, secrets_done FROM countersign.key_rotations
         WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1",
    )
    .bind(deployment.tenant().uuid())
    .fetch_one(deployment.test.admin())
    .await
    .unwrap();
    (row.0, usize::try_from(row.1).unwrap())
}

async fn done(deployment: &Deployment) {
    let done = async || (latest(deployment).await.0 == "done").then_some(());
    until("the end of a rotation", done).await;
}

/// Makes a new key-encryption key for requests, as an operator does; every tenant's keys are to be
/// wrapped anew. Gives the key before.
async fn new_request_key(deployment: &Deployment) -> String {
    let before = keys(deployment, Purpose::Request).await.pop().unwrap().kek_id;
    let done = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["secret", "new-kek", "--requests", "--data-dir"])
        .arg(deployment.dir.path())
        .env("DATABASE_URL", &deployment.test.url)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    before
}

/// Removes the file of a key-encryption key that was replaced.
fn remove_old(present: &Path, kek_id: &str) {
    std::fs::remove_file(present.with_extension(kek_id.trim_start_matches("file:"))).unwrap();
}

/// Workers die in the middle of second factors, and of secrets told once.
async fn killed_in_each(deployment: &Deployment, worker: &Setup<'_>) {
    for (point, all) in [
        ("keys.second_factors", SECRETS + 2 + 100),
        ("keys.one_time_secrets", SECRETS + 2 + OTHERS + 100),
    ] {
        let mut dying = Setup { failpoint: Some(point), ..worker.clone() }.spawn();
        let status = until("the kill", async || dying.ended()).await;
        assert_eq!(status.signal(), Some(9), "{}", dying.log.text());
        let running = ("running".to_owned(), all);
        assert_eq!(latest(deployment).await, running, "{point}: it went on where it was");
    }
}

/// Each purpose has one new key, and the one before opens nothing any more.
async fn old_ones_are_retired(deployment: &Deployment) {
    for purpose in [Purpose::Change, Purpose::Request] {
        let generations = keys(deployment, purpose).await;
        assert_eq!(generations.len(), 2, "one new key, in spite of the kills");
        assert_eq!((&*generations[0].kek_id, generations[0].wrapped.len()), ("retired", 0));
    }
}

#[tokio::test]
async fn s4_keys_are_rotated_under_ten_thousand_secrets_through_a_kill_while_executions_run() {
    let deployment = Deployment::start().await;
    let kek = deployment.dir.path().join("keys/kek");
    let told = json!({"secret": format!("{MARK}told")});
    let told = deployment.post(&deployment.admin, "/one-time-secrets", &told).await;
    seal_many(&deployment).await;
    seal_others(&deployment).await;
    let before = encrypted(&deployment).await;
    let steps = [Step::act("one"), Step::check("look")];
    let book = deployment.runbook(&runbook("steps", &deployment.effects(), &steps)).await;

    let since = now(&deployment).await;

    // A new key-encryption key, and a rotation of the tenant's keys, into a kill.
    let oldest = keys(&deployment, Purpose::Change).await.remove(0).kek_id;
    FileKek::renew(&kek).unwrap();
    rotate(&deployment, "tenant_key").await;
    let mut executions = deployment.approved_many(&book, EXECUTIONS[0]).await;
    let worker = Setup { log: "trace", ..deployment.worker() };
    let mut dying = Setup { failpoint: Some("keys.batch:30"), ..worker }.spawn();
    let status = until("the kill", async || dying.ended()).await;
    assert_eq!(status.signal(), Some(9), "{}", dying.log.text());
    let (state, half) = latest(&deployment).await;
    assert_eq!(state, "running");
    assert!((3_000..SECRETS).contains(&half), "{half}");
    // No downtime: requests are answered, new secrets are sealed.
    executions.extend(deployment.approved_many(&book, EXECUTIONS[1]).await);
    let late = json!({"name": "late", "kind": "password", "secret": format!("{MARK}between")});
    let late = deployment.post(&deployment.admin, "/credentials", &late).await;

    // One login, the many, and the late one: each of them once. Then what else there is, into a
    // kill in each.
    killed_in_each(&deployment, &worker).await;
    let mut fresh = worker.spawn();
    done(&deployment).await;
    let all = SECRETS + 2 + OTHERS + OTHERS + 1;
    assert_eq!(latest(&deployment).await.1, all, "it went on where it was");
    let states = deployment.settled(&executions).await;
    assert!(states.iter().all(|state| state == "completed"), "{states:?} {}", fresh.log.text());
    old_ones_are_retired(&deployment).await;
    fresh.stop().await;
    remove_old(&kek, &oldest);

    // Then the keys themselves are wrapped by new key-encryption keys, into a kill between two of
    // them: either all or none.
    let wrapped = async || {
        let mut keys = keys(&deployment, Purpose::Change).await;
        keys.extend(self::keys(&deployment, Purpose::Request).await);
        keys.retain(|key| !key.wrapped.is_empty());
        keys.into_iter().map(|key| key.kek_id).collect::<Vec<_>>()
    };
    let generations = wrapped().await;
    let renewed = FileKek::renew(&kek).unwrap();
    let request = new_request_key(&deployment).await;
    let mut more = deployment.approved_many(&book, EXECUTIONS[2]).await;
    let mut halfway = Setup { failpoint: Some("keys.rewrapped"), ..worker }.spawn();
    let status = until("the kill", async || halfway.ended()).await;
    assert_eq!(status.signal(), Some(9), "{}", halfway.log.text());
    assert_eq!(latest(&deployment).await.0, "running");
    assert_eq!(wrapped().await, generations);
    more.extend(deployment.approved_many(&book, EXECUTIONS[3]).await);
    let mut last = worker.spawn();
    done(&deployment).await;
    let states = deployment.settled(&more).await;
    assert!(states.iter().all(|state| state == "completed"), "{states:?} {}", last.log.text());
    // And the old ones go.
    let now = wrapped().await;
    assert_eq!((now.len(), &now[0]), (2, &renewed), "{now:?}");
    assert_ne!(now[1], request);
    remove_old(&kek, &generations[0]);
    remove_old(&kek.with_file_name("request-kek"), &request);
    let after = deployment.approved(&book).await;
    assert_eq!(deployment.settled(&[after]).await, ["completed"]);
    last.stop().await;
    let logs = [&dying, &fresh, &halfway, &last, &deployment.api].map(|one| one.log.text());
    nothing_in_the_clear(&deployment, since, &logs).await;

    opens_all(&deployment, &word(&late, "id")).await;
    // Nothing but the wrapping has moved: no secret was opened.
    sqlx::query("DELETE FROM countersign.credentials WHERE name = 'late'")
        .execute(deployment.test.admin())
        .await
        .unwrap();
    assert_eq!(encrypted(&deployment).await, before);
    // The process that answers requests finds the new key by itself.
    let told = json!({"token": told["token"]});
    let told = deployment.post(&deployment.operator, "/one-time-secrets/unwrap", &told).await;
    assert_eq!(told, json!({"secret": format!("{MARK}told")}));
    assert_holds(&deployment, "S4").await;
}

async fn now(deployment: &Deployment) -> String {
    sqlx::query_scalar("SELECT clock_timestamp()::text")
        .fetch_one(deployment.test.admin())
        .await
        .unwrap()
}

/// No secret was written down: not in the database, not in what it logs ahead, not in a file, not
/// in what any of the processes said.
async fn nothing_in_the_clear(deployment: &Deployment, since: String, logs: &[String]) {
    let mut search = Search::new(&[("a secret".to_owned(), MARK.as_bytes().to_vec())]);
    search.look("pg_dump", &dump(&deployment.test.admin_url));
    search.look_below(deployment.dir.path(), &[]);
    for log in logs {
        search.look("a log", log.as_bytes());
    }
    let ahead: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM pg_ls_waldir() WHERE modification >= $1::timestamptz ORDER BY name",
    )
    .bind(since)
    .fetch_all(deployment.test.admin())
    .await
    .unwrap();
    let mut read = 0;
    for segment in ahead {
        // One that was given another name meanwhile is read under that, or was looked at.
        let bytes: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT pg_read_binary_file('pg_wal/' || $1, 0, 16777216, true)")
                .bind(&segment)
                .fetch_one(deployment.test.admin())
                .await
                .unwrap();
        if let Some(bytes) = bytes {
            search.look(&segment, &bytes);
            read += 1;
        }
    }
    assert!(read > 0, "what was logged ahead was looked at");
    assert_eq!(search.hits, Vec::<String>::new());
}

/// All secrets open with the newest key of their purpose, which their rows name.
async fn opens_all(deployment: &Deployment, late: &str) {
    let vault = vault(deployment);
    let mut tx = deployment.test.db.tenant(deployment.tenant()).await.unwrap();
    for (holder, expected) in [
        (Holder::Credentials, SECRETS + 2),
        (Holder::SecondFactors, OTHERS),
        (Holder::OneTimeSecrets, OTHERS + 1),
    ] {
        let purpose =
            if holder == Holder::Credentials { Purpose::Change } else { Purpose::Request };
        let newest = keys(deployment, purpose).await.pop().unwrap().id;
        let (mut after, mut opened) = (None, 0);
        loop {
            let stored = sealed::after(&mut tx, holder, after, 1_000).await.unwrap();
            let Some(last) = stored.last() else { break };
            after = Some(last.id);
            for held in stored {
                assert_eq!(held.key.as_ref().map(|key| key.id), Some(newest), "{holder}");
                let secret = vault.open(held.key.as_ref(), held.place, &held.sealed).await.unwrap();
                if CredentialId::from(held.id).to_string() == late {
                    assert_eq!(secret.expose(), format!("{MARK}between").as_bytes());
                }
                opened += 1;
            }
        }
        assert_eq!(opened, expected, "{holder}");
    }
}
