//! Who changed what drifted, told by a scan on the host the tools run on.

use connect_aws::testing::Trail;
use model::Clock as _;
use serde_json::{Value, json};

use super::cloud::Cloud;
use super::remedy::Runner;
use super::stack::{CHANGES, TEMPLATE};
use crate::http::{SystemClock, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_on_a_runner_tells_who_changed_what() {
    let Some(cloud) = Cloud::start() else { return };
    let dir = cloud.dir.path().join("stack");
    std::fs::create_dir(&dir).unwrap();
    let template = dir.join("shop.yaml");
    std::fs::write(&template, TEMPLATE).unwrap();
    let group = cloud.python(&format!(
        "client('cloudformation').create_stack(StackName='shop', \
         TemplateBody=open({template:?}).read())\n{CHANGES}print(web['GroupId'])"
    ));
    let trail = Trail::start(Some(&cloud.url)).await;
    let ada = "arn:aws:iam::123456789012:user/ada";
    let at = SystemClock.now().as_second() - 300;
    trail.called(("call-1", "AuthorizeSecurityGroupIngress"), ada, at, &[&group]);
    let mut environment = cloud.environment();
    environment.retain(|(name, _)| name != "AWS_ENDPOINT_URL");
    environment.push(("AWS_ENDPOINT_URL".to_owned(), trail.endpoint.clone()));
    let source = json!({
        "name": "shop", "tool": "cloudformation", "directory": dir, "path": "shop.yaml",
        "stack": "shop",
    });
    let runner = Runner::set(&environment, source).await;
    let scan = runner.scan().await;
    assert_eq!((&scan["drifted"], &scan["remark"]), (&json!(4), &Value::Null), "{scan:#}");
    let told = runner.admin.get("/change-events?kind=audit_event").await.expect(200);
    assert_eq!(told["items"][0]["external_id"], "call-1", "{told:#}");
    let open = runner.drift("open").await;
    let (_, web) = open.iter().find(|(title, _)| title.starts_with("Web:")).unwrap();
    let path = format!("/cause-analyses?finding_id={web}");
    let cause = runner
        .site
        .until("somebody to say why", || async {
            let causes = runner.admin.get(&path).await.expect(200);
            causes["items"].as_array().unwrap().first().cloned()
        })
        .await;
    assert_eq!(text(&cause["user_attribution"], "actor"), ada, "{cause:#}");

    // What may not be asked is said, and fails no scan.
    trail.fails(Some("AccessDeniedException"));
    let scan = runner.scan().await;
    let why = "cloudtrail:LookupEvents was refused: AccessDeniedException";
    assert!(text(&scan, "remark").ends_with(why), "{scan:#}");
    assert_eq!(scan["drifted"], 4);
}
