//! Sources over the API: what they declare is read from git and from where states are, and compared
//! with what is there.

use axum::Router;
use axum::http::HeaderMap;
use connect_git::testing::{Repository, Server};
use connect_kubernetes::testing::{Door, FakeCluster};
use serde_json::{Value, json};
use sqlx::Row as _;
use tokio::net::TcpListener;

use super::harness::{Caller, Site, text};
use super::stage::Stage;
use crate::drift::{CHANGES, Cloud, TEMPLATE};

pub(super) const SETTINGS: &str = r"
apiVersion: v1
kind: ConfigMap
metadata: { name: settings, namespace: default }
data: { level: info }
---
apiVersion: v1
kind: Secret
metadata: { name: db, namespace: default }
stringData: { password: canary-4711 }
";
pub(super) const LIMITS: &str = r"
apiVersion: v1
kind: ConfigMap
metadata: { name: limits, namespace: default }
data: { most: '10' }
";

pub(super) struct Estate {
    pub(super) admin: Caller,
    environment: String,
    pub(super) tenant: model::id::TenantId,
}

impl Estate {
    pub(super) async fn set(site: &Site) -> Self {
        let stage = Stage::set(site, site.tenant(), "test").await;
        let server = stage.admin.get(&format!("/resources/{}", stage.resource)).await.expect(200);
        let environment = text(&server, "environment_id");
        Self { admin: stage.admin, environment, tenant: stage.tenant }
    }

    pub(super) async fn credential(&self, name: &str, secret: &str) -> String {
        let body = json!({"name": name, "kind": "password", "secret": secret});
        text(&self.admin.post("/credentials", &body).await.expect(201), "id")
    }

    pub(super) async fn source(&self, mut body: Value) -> String {
        body["environment_id"] = json!(self.environment);
        text(&self.admin.post("/iac-repositories", &body).await.expect(201), "id")
    }

    async fn shown(&self, source: &str) -> Value {
        self.admin.get(&format!("/iac-repositories/{source}")).await.expect(200)
    }

    /// Has it read; gives what the source says then.
    pub(super) async fn synced(&self, site: &Site, source: &str) -> Value {
        self.done(site, source, "sync").await
    }

    pub(super) async fn done(&self, site: &Site, source: &str, what: &str) -> Value {
        let path = format!("/iac-repositories/{source}/{what}");
        let begun = self.admin.post(&path, &json!({})).await.expect(202);
        let job = text(&begun, "job_id");
        let job: model::id::JobId = job.parse().unwrap();
        site.until("the job of a source", || async {
            let sql = "SELECT done_at IS NOT NULL, last_error FROM countersign.jobs WHERE id = $1";
            let row = sqlx::query(sql).bind(job.uuid()).fetch_one(site.test.admin()).await.unwrap();
            let error: Option<String> = row.get(1);
            assert_eq!(error, None);
            row.get::<bool, _>(0).then_some(())
        })
        .await;
        self.shown(source).await
    }

    /// Every row of what is declared, with what changes when it is written.
    async fn rows(&self, site: &Site) -> Vec<(String, String, String, String)> {
        let sql = "SELECT address, xmin::text, updated_at::text, id::text || declared_state::text
                   FROM countersign.iac_resources WHERE tenant_id = $1 ORDER BY address";
        let rows =
            sqlx::query(sql).bind(self.tenant.uuid()).fetch_all(site.test.admin()).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
    }

    async fn findings(&self) -> Vec<(String, String)> {
        let found = self.admin.get("/findings?kind=drift").await.expect(200);
        let items = found["items"].as_array().unwrap().iter();
        let mut all: Vec<_> = items.map(|one| (text(one, "title"), text(one, "status"))).collect();
        all.sort();
        all
    }
}

async fn manifests(git: &Server) -> Repository {
    let repository = git.repository("shop").await;
    let files =
        [("k8s/settings.yaml", SETTINGS), ("k8s/limits.yml", LIMITS), ("README.md", "shop")];
    repository.commit(&files, "first", 1_700_000_000).await;
    repository
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_repository_declares_is_written_only_where_it_changed() {
    let site = Site::start().await;
    let estate = Estate::set(&site).await;
    let git = Server::start(Some("deploy:s3cr3t")).await;
    let repository = manifests(&git).await;
    let login = estate.credential("git", "deploy:s3cr3t").await;
    let body = json!({
        "name": "shop", "tool": "kubernetes", "repository_url": git.url("shop"), "path": "k8s",
        "credential_id": login,
    });
    let source = estate.source(body.clone()).await;
    let shown = estate.synced(&site, &source).await;
    assert_eq!(shown["last_error"], Value::Null, "{shown:#}");
    assert_eq!(shown["revision"], repository.git(&["rev-parse", "HEAD"]).await);
    let first = estate.rows(&site).await;
    let addresses: Vec<&str> = first.iter().map(|row| row.0.as_str()).collect();
    let all = ["ConfigMap/default/limits", "ConfigMap/default/settings", "Secret/default/db"];
    assert_eq!(addresses, all);
    // canary-4711, also as the API server would keep it.
    for secret in ["canary", "Y2FuYXJ5"] {
        assert!(!first.iter().any(|row| row.3.contains(secret)), "{first:#?}");
    }
    assert!(first.iter().any(|row| row.3.contains("sealed")), "{first:#?}");

    // The same again: not a row of it is written.
    estate.synced(&site, &source).await;
    assert_eq!(estate.rows(&site).await, first);

    repository.git(&["rm", "--quiet", "k8s/limits.yml"]).await;
    let changed = SETTINGS.replace("level: info", "level: debug");
    let other = changed.replace("canary-4711", "canary-0815").replace("name: db", "name: cache");
    let files = [("k8s/settings.yaml", changed.as_str()), ("k8s/more.yaml", other.as_str())];
    repository.commit(&files[..1], "second", 1_700_000_100).await;
    estate.synced(&site, &source).await;
    let second = estate.rows(&site).await;
    let id = |row: &(String, String, String, String)| row.3.chars().take(36).collect::<String>();
    assert_eq!(second.len(), 2);
    assert_eq!((id(&second[0]), &second[1]), (id(&first[1]), &first[2]));
    assert_ne!(second[0].1, first[1].1);
    // What cannot be read says so, once, and changes nothing.
    repository.commit(&files[1..], "twice", 1_700_000_200).await;
    let shown = estate.synced(&site, &source).await;
    let error = text(&shown, "last_error");
    assert!(error.contains("is declared a second time"), "{error}");
    assert_eq!(estate.rows(&site).await, second);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_is_read_where_it_is_and_its_secrets_are_digests() {
    let site = Site::start().await;
    let estate = Estate::set(&site).await;
    let state = json!({
        "version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "x", "outputs": {},
        "resources": [{
            "mode": "managed", "type": "random_password", "name": "db",
            "provider": "provider[\"registry.terraform.io/hashicorp/random\"]",
            "instances": [{
                "schema_version": 0,
                "attributes": {"id": "none", "length": 16, "result": "canary-4711"},
                "sensitive_attributes": [[{"type": "get_attr", "value": "result"}]],
            }],
        }],
    });
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/state", listener.local_addr().unwrap());
    let routes = Router::new().fallback(move |headers: HeaderMap| {
        let may = headers.get("authorization").is_some_and(|login| login == "Bearer s3cr3t");
        let status = if may { 200 } else { 401 };
        let body = state.to_string();
        async move { (axum::http::StatusCode::from_u16(status).unwrap(), body) }
    });
    let task = tokio::spawn(async move { axum::serve(listener, routes).await });
    let login = estate.credential("state", "s3cr3t").await;
    let body = json!({"name": "db", "tool": "terraform", "state_url": url, "credential_id": login});
    let source = estate.source(body).await;
    let shown = estate.synced(&site, &source).await;
    assert_eq!(shown["last_error"], Value::Null, "{shown:#}");
    let rows = estate.rows(&site).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].0, "random_password.db");
    assert!(rows[0].3.contains("sealed") && !rows[0].3.contains("canary"), "{rows:#?}");
    estate.synced(&site, &source).await;
    assert_eq!(estate.rows(&site).await, rows);
    // Terraform itself is not run here.
    let shown = estate.done(&site, &source, "scan").await;
    assert!(text(&shown, "last_scan_error").starts_with("Terraform is not run by the server"));
    // Without the login, and where a tenant may not reach.
    for (name, url, why) in [
        ("none", url.as_str(), "the store refuses the login, or asks for one"),
        ("inside", "https://169.254.169.254/state", "the store cannot be reached"),
        ("file", "file:///etc/passwd", "is no address of an object"),
    ] {
        let repository = format!("https://example.com/{name}.git");
        let body = json!({
            "name": name, "tool": "terraform", "state_url": url, "repository_url": repository,
        });
        let source = estate.source(body).await;
        let shown = estate.synced(&site, &source).await;
        assert!(text(&shown, "last_error").contains(why), "{shown:#}");
    }
    task.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn manifests_are_compared_with_their_cluster_but_for_what_does_not_count() {
    let site = Site::start().await;
    let estate = Estate::set(&site).await;
    let git = Server::start(None).await;
    manifests(&git).await;
    let cluster = FakeCluster::start(Door::Token).await.unwrap();
    let map = |name: &str, data: Value| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "data": data,
            "metadata": {"name": name, "namespace": "default"},
        })
    };
    cluster.put(map("settings", json!({"level": "debug"})));
    cluster.put(json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": "db", "namespace": "default"},
        "data": {"password": "Y2FuYXJ5LTQ3MTE="},
    }));
    let kubeconfig = estate.credential("cluster", &cluster.kubeconfig()).await;
    let body = json!({
        "name": "shop", "tool": "kubernetes", "repository_url": git.url("shop"), "path": "k8s",
        "scan_credential_id": kubeconfig,
    });
    let source = estate.source(body).await;
    let shown = estate.done(&site, &source, "scan").await;
    assert_eq!(shown["last_scan_error"], Value::Null, "{shown:#}");
    let is = |title: &str, status: &str| (title.to_owned(), status.to_owned());
    let (gone, level) =
        ("ConfigMap/default/limits is gone", "ConfigMap/default/settings: data.level differs");
    assert_eq!(estate.findings().await, [is(gone, "open"), is(level, "open")]);
    let scans = estate.admin.get("/drift-scans").await.expect(200);
    let scan = &scans["items"][0];
    assert_eq!((&scan["state"], &scan["against"]), (&json!("finished"), &json!("dry_run")));
    assert_eq!((&scan["in_sync"], &scan["drifted"]), (&json!(1), &json!(2)), "{scan:#}");

    let rule = json!({
        "resource_type": "ConfigMap", "address": "*/settings", "property_path": "data.*",
        "reason": "a person tunes it", "iac_repository_id": source,
        "expires_at": "2036-03-01T10:00:00Z",
    });
    let rule = text(&estate.admin.post("/drift-ignore-rules", &rule).await.expect(201), "id");
    estate.done(&site, &source, "scan").await;
    assert_eq!(estate.findings().await, [is(gone, "open"), is(level, "fixed")]);
    // A rule that expired says nothing.
    let sql = "UPDATE countersign.drift_ignore_rules SET expires_at = now() WHERE reason <> ''";
    sqlx::query(sql).execute(site.test.admin()).await.unwrap();
    cluster.put(map("limits", json!({"most": "10"})));
    estate.done(&site, &source, "scan").await;
    let again: Vec<_> = estate.findings().await;
    assert_eq!(again.iter().filter(|one| one.1 == "open").count(), 1, "{again:?}");
    assert!(again.contains(&is(level, "open")), "{again:?}");
    estate
        .admin
        .send(reqwest::Method::DELETE, &format!("/drift-ignore-rules/{rule}"), &json!({}))
        .await
        .expect(204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_is_compared_with_its_stack() {
    let Some(cloud) = tokio::task::spawn_blocking(Cloud::start).await.unwrap() else { return };
    let site = Site::start().await;
    let estate = Estate::set(&site).await;
    let git = Server::start(None).await;
    let repository = git.repository("shop").await;
    repository.commit(&[("stacks/shop.yaml", TEMPLATE)], "first", 1_700_000_000).await;
    let path = repository.path.join("stacks/shop.yaml");
    let endpoint = cloud.url.clone();
    let made = format!(
        "client('cloudformation').create_stack(StackName='shop', \
         TemplateBody=open({path:?}).read())\n{CHANGES}"
    );
    // It goes at the end, and starting programs blocks.
    let cloud = tokio::task::spawn_blocking(move || {
        cloud.python(&made);
        cloud
    });
    let cloud = cloud.await.unwrap();
    let keys = json!({
        "access_key_id": "test", "secret_access_key": "test", "endpoint": endpoint,
        "role_arn": "arn:aws:iam::123456789012:role/reader",
    });
    let keys = estate.credential("aws", &keys.to_string()).await;
    let body = json!({
        "name": "shop", "tool": "cloudformation", "repository_url": git.url("shop"),
        "path": "stacks/shop.yaml", "stack": "shop", "region": "eu-west-1",
        "scan_credential_id": keys,
    });
    let source = estate.source(body).await;
    let shown = estate.done(&site, &source, "scan").await;
    assert_eq!(shown["last_scan_error"], Value::Null, "{shown:#}");
    let titles: Vec<String> = estate.findings().await.into_iter().map(|found| found.0).collect();
    let expected = [
        "Jobs: VisibilityTimeout differs",
        "Logs: Tags.owner differs",
        "Old is gone",
        "Web: SecurityGroupIngress[tcp 22 22 0.0.0.0/0] differs",
    ];
    assert_eq!(titles, expected);
    drop(cloud);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_is_read_by_the_clock_and_recorded_drift_heeds_what_does_not_count() {
    let site = Site::start().await;
    let estate = Estate::set(&site).await;
    let git = Server::start(None).await;
    manifests(&git).await;
    let body = json!({
        "name": "shop", "tool": "kubernetes", "repository_url": git.url("shop"), "path": "k8s",
        "sync_interval_seconds": 3600,
    });
    let source = estate.source(body).await;
    let shown = site
        .until("the sweep", || async {
            let shown = estate.shown(&source).await;
            (shown["last_sync_at"] != Value::Null).then_some(shown)
        })
        .await;
    assert_ne!(shown["next_sync_at"], Value::Null);
    assert_eq!(estate.rows(&site).await.len(), 3);
    let sql = "SELECT count(*) FROM countersign.jobs WHERE subject = 'source.sync'";
    let jobs: i64 = sqlx::query_scalar(sql).fetch_one(site.test.admin()).await.unwrap();
    assert_eq!(jobs, 1);

    let rule = json!({"address": "ConfigMap/*/limits", "reason": "made by hand"});
    estate.admin.post("/drift-ignore-rules", &rule).await.expect(201);
    let wanted = json!({"iac_repository_id": source, "against": "dry_run"});
    let scan = text(&estate.admin.post("/drift-scans", &wanted).await.expect(201), "id");
    let line = |address: &str| {
        json!({"address": address, "type": "ConfigMap", "drift_type": "deleted"}).to_string()
    };
    let lines = [line("ConfigMap/default/limits"), line("ConfigMap/default/settings")].join("\n");
    let request = estate
        .admin
        .request(reqwest::Method::POST, &format!("/drift-scans/{scan}/drifts"))
        .header("content-type", "application/x-ndjson")
        .body(lines);
    let told = super::harness::Reply::of(request.send().await.unwrap()).await.expect(200);
    assert_eq!((&told["new"], &told["refused"]), (&json!(1), &json!(0)), "{told:#}");
    let bad = json!({"property_path": "a[", "reason": "x"});
    let refused = estate.admin.post("/drift-ignore-rules", &bad).await;
    assert_eq!((refused.status.as_u16(), refused.path()), (400, "/property_path"));
}
