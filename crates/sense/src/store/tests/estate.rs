//! Environments, servers, connections, credentials and targets.

use model::id::{ConnectionId, CredentialId, EnvironmentId, ResourceId};
use model::level::EnvironmentClass;
use model::vault::Sealed;

use super::*;
use crate::alert::generic::Mapping;
use crate::inventory::host_key::PublicKey;
use crate::inventory::{Connection, CredentialKind, OsType, Selector, TargetFacts};
use crate::source::SourceKind;
use crate::store::alert_source::{self, NewSource};
use crate::store::target::targets;
use crate::store::{connection, credential, resource};

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn sealed(byte: u8) -> Sealed {
    Sealed {
        alg: "AES-256-GCM".to_owned(),
        kek_id: "file:1".to_owned(),
        wrapped_dek: vec![byte; 60],
        nonce: vec![byte; 12],
        ciphertext: vec![byte; 48],
        aad_version: 1,
    }
}

struct Estate {
    resource: ResourceId,
    connection: Connection,
    credential: CredentialId,
}

async fn estate(test: &TestDb, tx: &mut TenantTx, name: &str) -> Estate {
    let by = test.system_actor(tx.tenant()).await.id;
    let environment = EnvironmentId::generate();
    sqlx::query(
        "INSERT INTO countersign.environments (tenant_id, id, name, slug, class)
         VALUES ($1, $2, 'Live shop', $3, 'prod')",
    )
    .bind(tx.tenant().uuid())
    .bind(environment.uuid())
    .bind(format!("live-{name}"))
    .execute(tx.conn())
    .await
    .unwrap();
    let resource = ResourceId::generate();
    sqlx::query(
        "INSERT INTO countersign.resources (tenant_id, id, environment_id, external_id, name,
           hostname, os_type, owner_team, tags)
         VALUES ($1, $2, $3, $4, $4, $4 || '.example.com', 'linux', 'shop',
           '{\"role\": \"web\", \"zone\": \"a\"}')",
    )
    .bind(tx.tenant().uuid())
    .bind(resource.uuid())
    .bind(environment.uuid())
    .bind(name)
    .execute(tx.conn())
    .await
    .unwrap();
    let credential = CredentialId::generate();
    credential::insert(tx, credential, name, CredentialKind::SshKey, &sealed(1), by).await.unwrap();
    let connection = Connection {
        id: ConnectionId::generate(),
        resource_id: resource,
        transport: "ssh".to_owned(),
        host: "192.0.2.7".to_owned(),
        port: 2222,
        username: "ops".to_owned(),
        credential_id: Some(credential),
        guard_dir: Some("/run/guard".to_owned()),
        is_active: true,
        tested: None,
    };
    connection::insert(tx, &connection, by).await.unwrap();
    for (line, print) in [("ssh-ed25519 BBBB", "SHA256:b"), ("ssh-ed25519 AAAA", "SHA256:a")] {
        let key = PublicKey { line: line.to_owned(), fingerprint: print.to_owned() };
        connection::pin(tx, connection.id, &key, by).await.unwrap();
    }
    Estate { resource, connection, credential }
}

#[tokio::test]
async fn a_selector_gives_targets_with_everything_planning_asks() {
    let test = database().await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let web = estate(&test, &mut tx, "web-1").await;
    estate(&test, &mut tx, "web-2").await;
    let found = targets(&mut tx, &Selector::of_instance("web-1:9100")).await.unwrap();
    let [TargetFacts { target, tags: labels, os_type, hostname, environment_slug, .. }] =
        found.as_slice()
    else {
        panic!("one target, not {}", found.len())
    };
    assert_eq!((target.resource_id, target.connection_id), (web.resource, web.connection.id));
    assert_eq!((target.host.as_str(), target.port), ("192.0.2.7", 2222));
    assert_eq!(target.environment, EnvironmentClass::Prod);
    assert_eq!((target.credential_id, target.credential_version), (Some(web.credential), Some(1)));
    assert_eq!(target.host_keys, ["ssh-ed25519 AAAA", "ssh-ed25519 BBBB"]);
    assert_eq!(target.guard_dir.as_deref(), Some("/run/guard"));
    assert_eq!((labels, *os_type), (&tags(&[("role", "web"), ("zone", "a")]), OsType::Linux));
    assert_eq!((hostname.as_str(), environment_slug.as_str()), ("web-1.example.com", "live-web-1"));

    let select = |pairs| Selector { tags: tags(pairs), ..Selector::default() };
    assert_eq!(targets(&mut tx, &select(&[("role", "web")])).await.unwrap().len(), 2);
    assert_eq!(targets(&mut tx, &select(&[("role", "db")])).await.unwrap().len(), 0);
    let slug = Some("live-web-2".to_owned());
    let there = Selector { environment: slug, ..Selector::default() };
    assert_eq!(targets(&mut tx, &there).await.unwrap()[0].target.name, "web-2");
}

#[tokio::test]
async fn a_retired_server_or_connection_is_no_target() {
    let test = database().await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let one = estate(&test, &mut tx, "web-1").await;
    let mut two = estate(&test, &mut tx, "web-2").await;
    sqlx::query("UPDATE countersign.resources SET status = 'retired' WHERE id = $1")
        .bind(one.resource.uuid())
        .execute(tx.conn())
        .await
        .unwrap();
    two.connection.is_active = false;
    connection::mark_tested(&mut tx, two.connection.id, true, ("in", 7)).await.unwrap();
    connection::update(&mut tx, &two.connection).await.unwrap();
    let kept = connection::get(&mut tx, two.connection.id).await.unwrap().tested.unwrap();
    assert_eq!((kept.reachable, kept.detail.as_str(), kept.took_ms), (true, "in", 7));
    two.connection.username = "other".to_owned();
    connection::update(&mut tx, &two.connection).await.unwrap();
    assert!(targets(&mut tx, &Selector::default()).await.unwrap().is_empty());
    assert_eq!(connection::get(&mut tx, two.connection.id).await.unwrap(), two.connection);
    resource::exists(&mut tx, one.resource).await.unwrap();
}

#[tokio::test]
async fn an_environment_class_nobody_knows_is_an_error() {
    let test = database().await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    estate(&test, &mut tx, "web-1").await;
    tx.commit().await.unwrap();
    for change in [
        "ALTER TABLE countersign.environments DROP CONSTRAINT environments_class_word",
        "UPDATE countersign.environments SET class = 'moon'",
    ] {
        sqlx::query(change).execute(test.admin()).await.unwrap();
    }
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let error = targets(&mut tx, &Selector::default()).await.unwrap_err();
    assert_eq!(error.kind(), db::Kind::Internal);
}

#[tokio::test]
async fn another_host_loses_the_pinned_keys_of_the_old() {
    let test = database().await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let mut web = estate(&test, &mut tx, "web-1").await;
    web.connection.username = "root".to_owned();
    connection::update(&mut tx, &web.connection).await.unwrap();
    assert_eq!(connection::host_keys(&mut tx, web.connection.id).await.unwrap().len(), 2);
    connection::unpin(&mut tx, web.connection.id, "SHA256:b").await.unwrap();
    assert_eq!(connection::host_keys(&mut tx, web.connection.id).await.unwrap().len(), 1);
    web.connection.host = "192.0.2.8".to_owned();
    connection::update(&mut tx, &web.connection).await.unwrap();
    assert!(connection::host_keys(&mut tx, web.connection.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_new_secret_is_the_next_version_and_only_one_writer_makes_it() {
    let test = database().await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let web = estate(&test, &mut tx, "web-1").await;
    credential::replace(&mut tx, web.credential, 2, &sealed(2)).await.unwrap();
    let stored = credential::get(&mut tx, web.credential).await.unwrap();
    assert_eq!((stored.credential.version, &stored.sealed), (2, &sealed(2)));
    let late = credential::replace(&mut tx, web.credential, 2, &sealed(3)).await.unwrap_err();
    assert_eq!(late.kind(), db::Kind::NotFound);
    assert_eq!(credential::all(&mut tx).await.unwrap().len(), 1);
    let found = targets(&mut tx, &Selector::default()).await.unwrap();
    assert_eq!(found[0].target.credential_version, Some(2));
}

#[tokio::test]
async fn the_estate_of_another_tenant_is_not_there() {
    let test = database().await;
    let other = test.another_tenant().await;
    let mut tx = test.db.tenant(other).await.unwrap();
    let foreign = estate(&test, &mut tx, "web-1").await;
    tx.commit().await.unwrap();
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    assert!(targets(&mut tx, &Selector::default()).await.unwrap().is_empty());
    let mut kinds = Vec::new();
    kinds.push(resource::exists(&mut tx, foreign.resource).await.unwrap_err().kind());
    kinds.push(connection::get(&mut tx, foreign.connection.id).await.unwrap_err().kind());
    kinds.push(credential::get(&mut tx, foreign.credential).await.unwrap_err().kind());
    kinds.push(connection::update(&mut tx, &foreign.connection).await.unwrap_err().kind());
    assert!(kinds.iter().all(|kind| *kind == db::Kind::NotFound), "{kinds:?}");
}

#[tokio::test]
async fn a_generic_source_needs_a_mapping_and_a_secret_and_rotates_it() {
    let test = database().await;
    let actor = test.another_actor(test.tenant, "webhook", &[Role::Operator]).await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let secrets = [CredentialId::generate(), CredentialId::generate()];
    for (index, id) in secrets.iter().enumerate() {
        let name = format!("hmac-{index}");
        credential::insert(&mut tx, *id, &name, CredentialKind::Hmac, &sealed(7), actor.id)
            .await
            .unwrap();
    }
    let mapping = Mapping::from_value(&json!({"name": "/n", "starts_at": "/s"})).unwrap();
    let new = NewSource {
        name: "zabbix",
        kind: SourceKind::Generic,
        actor_id: actor.id,
        mapping: Some(&mapping),
        secret_id: Some(secrets[0]),
    };
    let id = alert_source::insert(&mut tx, new.clone()).await.unwrap();
    alert_source::rotate(&mut tx, id, secrets[1]).await.unwrap();
    let stored = alert_source::by_name(&mut tx, "zabbix").await.unwrap();
    assert_eq!((stored.secret_id, stored.previous_secret_id), (Some(secrets[1]), Some(secrets[0])));
    assert_eq!(stored.mapping.as_ref(), Some(&mapping));
    let acting = alert_source::of_actor(&mut tx, actor.id).await.unwrap();
    assert_eq!(acting.map(|source| source.id), Some(id));
    alert_source::drop_previous_secret(&mut tx, id).await.unwrap();
    let all = alert_source::all(&mut tx).await.unwrap();
    assert_eq!(all[0].previous_secret_id, None);
    let bare = NewSource { name: "bare", mapping: None, ..new };
    let refused = alert_source::insert(&mut tx, bare).await.unwrap_err();
    assert_eq!(refused.constraint(), Some("alert_sources_signed"));
}
