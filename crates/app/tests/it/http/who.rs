//! Who changed something and when, found out by itself: the commits of a source's repository, and the
//! calls a cloud recorded.

use connect_aws::testing::Trail;
use connect_git::testing::Server;
use connect_kubernetes::testing::{Door, FakeCluster};
use model::Clock as _;
use serde_json::{Value, json};

use super::explained::of;
use super::harness::{Site, SystemClock, text};
use super::sources::{Estate, LIMITS, SETTINGS};
use crate::drift::{CHANGES, Cloud, TEMPLATE};

/// Every change event, with what changes when it is written.
async fn events(site: &Site, estate: &Estate) -> Vec<String> {
    let sql = "SELECT external_id || ' ' || xmin::text || ' ' || updated_at::text
               FROM countersign.change_events WHERE tenant_id = $1 ORDER BY id";
    let rows = sqlx::query_scalar(sql).bind(estate.tenant.uuid());
    rows.fetch_all(site.test.admin()).await.unwrap()
}

async fn listed(estate: &Estate, kind: &str) -> Vec<Value> {
    let path = format!("/change-events?kind={kind}&sort=occurred_at");
    estate.admin.get(&path).await.expect(200)["items"].as_array().unwrap().clone()
}

/// The finding of this title, once it was explained.
async fn explained(site: &Site, estate: &Estate, title: &str) -> Value {
    site.until("somebody to say why", || async {
        let found = estate.admin.get("/findings?kind=drift&status=open").await.expect(200);
        let mut items = found["items"].as_array().unwrap().iter();
        let finding = items.find(|one| text(one, "title") == title)?.clone();
        let causes = of(&estate.admin, "cause-analyses", &finding).await;
        (!causes.is_empty()).then_some(finding)
    })
    .await
}

/// What belongs to a finding, the surest first: kind, id, score.
async fn belongs(estate: &Estate, finding: &Value) -> Vec<(String, String, f64)> {
    let found = of(&estate.admin, "correlations", finding).await;
    let mut all: Vec<_> = found
        .iter()
        .map(|one| {
            let score = one["correlation_score"].as_f64().unwrap();
            (text(one, "correlation_type"), text(one, "external_id"), score)
        })
        .collect();
    all.sort_by(|one, other| other.2.total_cmp(&one.2));
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commit_that_touched_what_declares_a_drift_stands_above_others() {
    let site = Site::start().await;
    let estate = Estate::set(&site).await;
    sqlx::query("UPDATE countersign.users SET email = 'ada@example.com' WHERE username = 'ada'")
        .execute(site.test.admin())
        .await
        .unwrap();
    let git = Server::start(None).await;
    let repository = git.repository("shop").await;
    let now = SystemClock.now().as_second();
    let at = |minutes: i64| now - 60 * minutes;
    let files = [("k8s/settings.yaml", SETTINGS), ("k8s/limits.yml", LIMITS)];
    repository.commit(&files, "long ago", 1_700_000_000).await;
    let changed = SETTINGS.replace("level: info", "level: warn");
    let declaring =
        repository.commit(&[("k8s/settings.yaml", &changed)], "less noise", at(120)).await;
    let beside = LIMITS.replace("10", "20");
    tokio::fs::write(repository.path.join("k8s/limits.yml"), &beside).await.unwrap();
    let by_eve = ["commit", "--quiet", "--all", "--author=Eve <eve@example.org>", "-m", "more"];
    repository.git_at(&by_eve, at(5)).await;
    let other = repository.git(&["rev-parse", "HEAD"]).await;
    repository.commit(&[("README.md", "shop")], "words", at(1)).await;

    let cluster = FakeCluster::start(Door::Token).await.unwrap();
    cluster.put(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"level": "debug"},
        "metadata": {"name": "settings", "namespace": "default"},
    }));
    let kubeconfig = estate.credential("cluster", &cluster.kubeconfig()).await;
    let body = json!({
        "name": "shop", "tool": "kubernetes", "repository_url": git.url("shop"), "path": "k8s",
        "scan_credential_id": kubeconfig,
    });
    let source = estate.source(body).await;
    let shown = estate.synced(&site, &source).await;
    assert_eq!(shown["last_error"], Value::Null, "{shown:#}");
    assert_eq!(shown["head"], shown["revision"]);
    let told = listed(&estate, "git_commit").await;
    let who: Vec<_> =
        told.iter().map(|one| (text(one, "external_id"), text(one, "actor"))).collect();
    let expected = [(&declaring, "ada <ada@example.com>"), (&other, "Eve")];
    assert_eq!(who, expected.map(|(id, who)| (id.clone(), who.to_owned())), "{told:#?}");
    assert_eq!(told[0]["paths"], json!(["k8s/settings.yaml"]));
    let addresses = json!(["ConfigMap/default/settings", "Secret/default/db"]);
    assert_eq!((&told[0]["addresses"], &told[0]["summary"]), (&addresses, &json!("less noise")));
    let declared = estate.admin.get("/iac-resources?declared_in=k8s/limits.yml").await.expect(200);
    assert_eq!(declared["items"][0]["address"], "ConfigMap/default/limits", "{declared:#}");

    // The same commits again are nothing new, and a branch that did not move is not read back.
    let before = events(&site, &estate).await;
    estate.synced(&site, &source).await;
    assert_eq!(events(&site, &estate).await, before);

    estate.done(&site, &source, "scan").await;
    let finding = explained(&site, &estate, "ConfigMap/default/settings: data.level differs").await;
    let found = belongs(&estate, &finding).await;
    let ids: Vec<&str> = found.iter().map(|(_, id, _)| id.as_str()).collect();
    assert_eq!(ids, [&*declaring, &*other], "{found:#?}");
    assert!(found[0].2 > 0.8 && found[1].2 < 0.4, "{found:#?}");
    assert_eq!(events(&site, &estate).await, before);
    site.verified(site.tenant()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_is_told_even_where_the_document_cannot_be_read() {
    let site = Site::start().await;
    let estate = Estate::set(&site).await;
    let git = Server::start(Some("deploy:s3cr3t")).await;
    let repository = git.repository("infra").await;
    let now = SystemClock.now().as_second();
    let group = "resource \"aws_security_group\" \"web\" {\n}\n";
    repository.commit(&[("prod/web.tf", group), ("x/x.tf", "")], "open it", now - 600).await;
    let login = estate.credential("git", "deploy:s3cr3t").await;
    // Terraform runs elsewhere: here there is a configuration and no state.
    let body = json!({
        "name": "infra", "tool": "terraform", "repository_url": git.url("infra"), "path": "prod",
        "credential_id": login,
    });
    let source = estate.source(body).await;
    let shown = estate.synced(&site, &source).await;
    assert!(text(&shown, "last_error").starts_with("a configuration is not read"), "{shown:#}");
    let told = listed(&estate, "git_commit").await;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0]["paths"], json!(["prod/web.tf"]));
    assert_eq!(told[0]["addresses"], json!(["aws_security_group.web"]));
    assert_eq!(told[0]["actor"], "Ada", "nobody here has this address: {told:#?}");
    assert!(!told[0].to_string().contains("ada@example.com"), "{told:#?}");

    // A state that lies elsewhere, with its repository beside it, opened by a login of its own.
    let state = json!({
        "version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "x", "outputs": {},
        "resources": [{
            "mode": "managed", "type": "aws_security_group", "name": "web",
            "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
            "instances": [{"schema_version": 1, "attributes": {"id": "sg-1", "name": "web"}}],
        }],
    });
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/state", listener.local_addr().unwrap());
    let routes = axum::Router::new().fallback(move || {
        let body = state.to_string();
        async move { body }
    });
    let task = tokio::spawn(async move { axum::serve(listener, routes).await });
    for (name, login, declared_in, said) in [
        ("none", Value::Null, Value::Null, Value::Null),
        ("with", json!(login), json!("prod/web.tf"), Value::Null),
        ("wrong", json!(estate.credential("wrong", "x").await), Value::Null, json!("said")),
    ] {
        // The same branch of a repository is one source.
        repository.git(&["branch", name]).await;
        let body = json!({
            "name": name, "tool": "terraform", "repository_url": git.url("infra"), "path": "prod",
            "branch": name, "state_url": url, "repository_credential_id": login,
        });
        let source = estate.source(body).await;
        let shown = estate.synced(&site, &source).await;
        let path = format!("/iac-resources?iac_repository_id={source}");
        let declared = estate.admin.get(&path).await.expect(200);
        assert_eq!(declared["items"][0]["declared_in"], declared_in, "{name}: {declared:#}");
        match said {
            Value::Null => assert_eq!(shown["last_error"], Value::Null, "{shown:#}"),
            _ => {
                let error = text(&shown, "last_error");
                assert!(error.starts_with("who changed it is not known"), "{error}");
            }
        }
    }
    assert_eq!(listed(&estate, "git_commit").await.len(), 2);
    task.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_of_a_stack_tells_who_changed_what() {
    let Some(cloud) = tokio::task::spawn_blocking(Cloud::start).await.unwrap() else { return };
    let site = Site::start().await;
    let estate = Estate::set(&site).await;
    let git = Server::start(None).await;
    let repository = git.repository("shop").await;
    repository.commit(&[("stacks/shop.yaml", TEMPLATE)], "first", 1_700_000_000).await;
    let path = repository.path.join("stacks/shop.yaml");
    let trail = Trail::start(Some(&cloud.url)).await;
    let made = format!(
        "client('cloudformation').create_stack(StackName='shop', \
         TemplateBody=open({path:?}).read())\n{CHANGES}print(web['GroupId'])"
    );
    // It goes at the end, and starting programs blocks.
    let made = tokio::task::spawn_blocking(move || (cloud.python(&made), cloud));
    let (group, cloud) = made.await.unwrap();
    let ada = "arn:aws:iam::123456789012:user/ada";
    let at = SystemClock.now().as_second() - 300;
    trail.called(("call-1", "AuthorizeSecurityGroupIngress"), ada, at, &[&group]);
    trail.called(("call-2", "RunInstances"), ada, at, &["i-somebody-elses"]);
    let keys = json!({
        "access_key_id": "test", "secret_access_key": "test", "endpoint": trail.endpoint,
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
    let title = "Web: SecurityGroupIngress[tcp 22 22 0.0.0.0/0] differs";
    let finding = explained(&site, &estate, title).await;
    let cause = of(&estate.admin, "cause-analyses", &finding).await.remove(0);
    assert_eq!(cause["user_attribution"]["actor"], ada, "{cause:#}");
    assert_eq!(cause["temporal_context"]["exact"], true, "{cause:#}");
    let found = belongs(&estate, &finding).await;
    assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("audit_event", "call-1"), "{found:?}");
    let told = listed(&estate, "audit_event").await;
    assert_eq!(told.len(), 1, "{told:#?}");
    let scan = |scans: Value| scans["items"][0].clone();
    let path = "/drift-scans?sort=-started_at&limit=1";
    assert_eq!(scan(estate.admin.get(path).await.expect(200))["remark"], Value::Null);

    // The same again writes nothing; what may not be asked is said, and fails no scan.
    let before = events(&site, &estate).await;
    estate.done(&site, &source, "scan").await;
    assert_eq!(events(&site, &estate).await, before);
    trail.fails(Some("AccessDeniedException"));
    let shown = estate.done(&site, &source, "scan").await;
    assert_eq!(shown["last_scan_error"], Value::Null, "{shown:#}");
    let last = scan(estate.admin.get(path).await.expect(200));
    assert_eq!((&last["state"], &last["drifted"]), (&json!("finished"), &json!(4)), "{last:#}");
    let why = "cloudtrail:LookupEvents was refused: AccessDeniedException";
    assert!(text(&last, "remark").ends_with(why), "{last:#}");
    assert_eq!(events(&site, &estate).await, before);
    drop(cloud);
}
