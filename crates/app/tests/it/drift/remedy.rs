//! Drift put right through the gate, on a real host with the real tools.

use std::path::Path;

use connect_ssh::testing::Sshd;
use model::actor::Role;
use serde_json::{Value, json};

use super::cloud::Cloud;
use crate::http::{Caller, Site, text};

/// What is applied.
pub(crate) const ESTATE: &str = r#"
resource "aws_security_group" "web" {
  name        = "web"
  description = "the shop"
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
  tags = { owner = "shop", stage = "prod" }
}

resource "aws_s3_bucket" "old" {
  bucket = "countersign-test-old"
}

resource "aws_instance" "web" {
  ami           = "ami-12c6146b"
  instance_type = "t3.micro" # small is enough
  tags          = { Name = "web" }
}
"#;

/// What happens to it behind everybody's back.
pub(crate) const CHANGES: &str = r#"
ec2, s3 = client('ec2'), client('s3')
groups = {g['GroupName']: g for g in ec2.describe_security_groups()['SecurityGroups']}
web = groups['web']['GroupId']
ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=[
    {'IpProtocol': 'tcp', 'FromPort': 22, 'ToPort': 22, 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]}])
ec2.create_tags(Resources=[web], Tags=[{'Key': 'owner', 'Value': 'nobody'}])
s3.delete_bucket(Bucket='countersign-test-old')
instance = ec2.describe_instances()['Reservations'][0]['Instances'][0]['InstanceId']
ec2.stop_instances(InstanceIds=[instance])
ec2.modify_instance_attribute(InstanceId=instance, InstanceType={'Value': 't3.large'})
ec2.start_instances(InstanceIds=[instance])
"#;

/// What there is: the group's ports and owner, the instance's size, and the buckets.
const THERE: &str = r#"
ec2, s3 = client('ec2'), client('s3')
web = [g for g in ec2.describe_security_groups()['SecurityGroups'] if g['GroupName'] == 'web'][0]
print(json.dumps({
    'ports': sorted(p['FromPort'] for p in web['IpPermissions']),
    'owner': {t['Key']: t['Value'] for t in web['Tags']}['owner'],
    'size': ec2.describe_instances()['Reservations'][0]['Instances'][0]['InstanceType'],
    'buckets': sorted(b['Name'] for b in s3.list_buckets()['Buckets']),
}))
"#;

/// A tenant whose source is reached over SSH, where its tools run.
pub(crate) struct Runner {
    pub(crate) site: Site,
    pub(crate) sshd: Sshd,
    pub(crate) admin: Caller,
    pub(crate) approver: Caller,
    pub(crate) source: String,
}

impl Runner {
    /// Sets it up: `environment` is what its tools need to know, `source` what the source says.
    pub(crate) async fn set(environment: &[(String, String)], source: Value) -> Self {
        let site = Site::start().await;
        let sshd = Sshd::start().expect("OpenSSH's server");
        let admin = site.caller("ada", &[Role::Admin]).await;
        let approver = site.caller("ann", &[Role::Approver]).await;
        let resource = site.server(&admin, "runner", "test", &sshd).await;
        let kept = sshd.home().join(".countersign");
        std::fs::create_dir_all(&kept).unwrap();
        let quoted = |(name, value): &(String, String)| {
            assert!(!value.contains('\''));
            format!("{name}='{value}'\n")
        };
        let lines: String = environment.iter().map(quoted).collect();
        let program = Path::new(env!("CARGO_BIN_EXE_countersign")).parent().unwrap();
        let path = format!("PATH='{}':\"$PATH\"\n", program.display());
        std::fs::write(kept.join("environment"), lines + &path).unwrap();
        let shown = admin.get(&format!("/resources/{resource}")).await.expect(200);
        let mut wanted = source;
        wanted["environment_id"] = shown["environment_id"].clone();
        wanted["resource_id"] = json!(resource);
        let source = text(&admin.post("/iac-repositories", &wanted).await.expect(201), "id");
        Self { site, sshd, admin, approver, source }
    }

    /// Has a look for drift made; gives the scan.
    pub(crate) async fn scan(&self) -> Value {
        let before = self.scans().await.len();
        let path = format!("/iac-repositories/{}/scan", self.source);
        self.admin.post(&path, &json!({})).await.expect(202);
        self.site
            .until("the scan", || async {
                let mut scans = self.scans().await;
                (scans.len() > before).then(|| scans.remove(0))
            })
            .await
    }

    async fn scans(&self) -> Vec<Value> {
        let path = format!("/drift-scans?iac_repository_id={}&sort=-started_at", self.source);
        let page = self.admin.get(&path).await.expect(200);
        let all = page["items"].as_array().unwrap().iter();
        all.filter(|scan| scan["state"] == "finished").cloned().collect()
    }

    /// The findings of drift that are in this state: title and id.
    pub(crate) async fn drift(&self, status: &str) -> Vec<(String, String)> {
        let path = format!("/findings?kind=drift&status={status}&limit=100");
        let page = self.admin.get(&path).await.expect(200);
        let mut found: Vec<_> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| (text(finding, "title"), text(finding, "id")))
            .collect();
        found.sort();
        found
    }

    /// The open finding of this resource.
    pub(crate) async fn open(&self, resource: &str) -> String {
        let open = self.drift("open").await;
        open.into_iter().find(|(title, _)| title.contains(resource)).expect(resource).1
    }

    /// Sees that these findings were closed, and by what.
    pub(crate) async fn closed(&self, findings: &[String], by: &str) {
        for id in findings {
            let finding = self.admin.get(&format!("/findings/{id}")).await.expect(200);
            let how = (&finding["status"], &finding["resolution_type"]);
            assert_eq!(how, (&json!("fixed"), &json!(by)), "{finding:#}");
        }
    }

    /// Sees that what is kept of a remediation, and of everything else, holds no secret of a test.
    pub(crate) async fn says_no_secret(&self, remediation: &Value) {
        let mut shown = Vec::new();
        for name in ["preparation_id", "execution_id"] {
            let path = format!("/executions/{}", text(remediation, name));
            let execution = self.admin.get(&path).await.expect(200);
            let plan = format!("/plans/{}", text(&execution, "plan_id"));
            shown.extend([execution, self.admin.get(&plan).await.expect(200)]);
        }
        for list in ["/audit/events", "/findings", "/drift-scans", "/remediations"] {
            shown.push(self.admin.get(&format!("{list}?limit=100")).await.expect(200));
        }
        for shown in shown {
            let shown = shown.to_string();
            assert!(!shown.contains("canary") && !shown.contains("Y2FuYXJ5"), "{shown}");
        }
    }

    /// Asks for these findings to be put right; gives the remediation once it is in this state.
    pub(crate) async fn remedy(&self, kind: &str, findings: &[String], state: &str) -> Value {
        let wanted = json!({"kind": kind, "finding_ids": findings, "reason": "by nobody's leave"});
        let begun = self.admin.post("/remediations", &wanted).await.expect(202);
        self.reaches(&text(&begun, "id"), state).await
    }

    pub(crate) async fn reaches(&self, id: &str, state: &str) -> Value {
        let path = format!("/remediations/{id}");
        self.site
            .until(&format!("{id} to be {state}"), || async {
                let shown = self.admin.get(&path).await.expect(200);
                let other = shown["ended_at"].is_string() && shown["state"] != state;
                // What its steps printed says why.
                let why = async || {
                    let run = format!("/executions/{}", text(&shown, "preparation_id"));
                    self.admin.get(&run).await.expect(200)
                };
                assert!(!other, "{shown:#} {:#}", why().await);
                (shown["state"] == state).then_some(shown)
            })
            .await
    }

    /// Has the change of a remediation approved by the second person; gives its execution's end.
    pub(crate) async fn approve(&self, remediation: &Value, end: &str) -> Value {
        let execution = text(remediation, "execution_id");
        let shown = self.admin.get(&format!("/executions/{execution}")).await.expect(200);
        assert_eq!(shown["state"], "awaiting_approval", "{shown:#}");
        let path = format!("/approvals/{}/approve", text(&shown, "approval_id"));
        let own = self.admin.post(&path, &json!({})).await;
        assert_eq!(own.status.as_u16(), 403, "whoever asked does not approve: {:#}", own.body);
        self.approver.post(&path, &json!({"note": "read the plan"})).await.expect(200);
        self.site.reaches(&self.admin, &execution, end).await
    }
}

impl Cloud {
    /// What leads tools to this cloud.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let command = self.command("true");
        let text = |text: &std::ffi::OsStr| text.to_str().unwrap().to_owned();
        let set = command.get_envs().filter_map(|(name, value)| Some((text(name), text(value?))));
        // Programs that were made for a test lie beside its configurations.
        let path = std::env::var_os("PATH").unwrap();
        let path = format!("{}:{}", self.dir.path().display(), text(&path));
        set.chain([("PATH".to_owned(), path)]).collect()
    }

    pub(crate) fn there(&self) -> Value {
        serde_json::from_str(&self.python(THERE)).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drift_is_reverted_by_the_approved_plan_and_closed_by_a_fresh_scan() {
    let Some(cloud) = Cloud::start() else { return };
    let dir = cloud.apply("estate", ESTATE);
    let source = json!({"name": "shop", "tool": "terraform", "directory": dir});
    let runner = Runner::set(&cloud.environment(), source).await;
    let before = cloud.there();
    assert_eq!(runner.scan().await["drifted"], 0);

    cloud.python(CHANGES);
    let changed = cloud.there();
    assert_ne!(before, changed);
    assert_eq!(runner.scan().await["drifted"], 3);
    let open = runner.drift("open").await;
    let titles: Vec<&str> = open.iter().map(|(title, _)| title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "aws_instance.web: instance_type differs",
            "aws_s3_bucket.old is gone",
            "aws_security_group.web: 2 properties differ",
        ]
    );

    // What can be undone, and what cannot.
    let ids = |wanted: &[usize]| wanted.iter().map(|at| open[*at].1.clone()).collect::<Vec<_>>();
    let asked = runner.remedy("auto_revert", &ids(&[0, 2]), "asked").await;
    let prepared = &asked["prepared"];
    assert_eq!(prepared["WAY_BACK"], "0", "{asked:#}");
    assert!(prepared["SUMMARY"].as_str().unwrap().contains("2 to change"), "{asked:#}");
    assert_eq!(cloud.there(), changed, "nothing is changed before it is approved");
    runner.approve(&asked, "completed").await;
    let done = runner.reaches(&text(&asked, "id"), "resolved").await;
    let there = cloud.there();
    assert_eq!((&there["ports"], &there["owner"]), (&before["ports"], &before["owner"]));
    assert_eq!((&there["size"], &there["buckets"]), (&before["size"], &changed["buckets"]));
    let fixed = runner.drift("fixed").await;
    assert_eq!(fixed.len(), 2, "{done:#}");
    let fixed: Vec<String> = fixed.into_iter().map(|(_, id)| id).collect();
    runner.closed(&fixed, "auto_revert").await;
    assert_eq!(runner.drift("open").await.len(), 1);

    let asked = runner.remedy("auto_revert", &ids(&[1]), "asked").await;
    assert_ne!(asked["prepared"]["WAY_BACK"], "0", "what is gone has no way back: {asked:#}");
    let execution = runner.approve(&asked, "completed").await;
    let plan = runner.admin.get(&format!("/plans/{}", text(&execution, "plan_id"))).await;
    assert_eq!(plan.expect(200)["blast_radius"]["irreversible"], true);
    runner.reaches(&text(&asked, "id"), "resolved").await;
    assert_eq!(cloud.there(), before);
    assert_eq!(runner.drift("open").await, []);

    // Nothing is left to be put right, and a viewer asks for nothing.
    let wanted = json!({"kind": "auto_revert", "finding_ids": ids(&[0])});
    let late = runner.admin.post("/remediations", &wanted).await;
    assert_eq!((late.status.as_u16(), late.path()), (400, "/finding_ids"), "{:#}", late.body);
    let viewer = runner.site.caller("eve", &[Role::Viewer]).await;
    viewer.post("/remediations", &wanted).await.expect(403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_was_touched_or_denied_changes_nothing() {
    let Some(cloud) = Cloud::start() else { return };
    let dir = cloud.apply("estate", ESTATE);
    let source = json!({"name": "shop", "tool": "terraform", "directory": dir});
    let runner = Runner::set(&cloud.environment(), source).await;
    cloud.python(CHANGES);
    runner.scan().await;
    let changed = cloud.there();
    let open: Vec<String> = runner.drift("open").await.into_iter().map(|(_, id)| id).collect();

    let asked = runner.remedy("auto_revert", &open, "asked").await;
    let execution = text(&asked, "execution_id");
    let shown = runner.admin.get(&format!("/executions/{execution}")).await.expect(200);
    let path = format!("/approvals/{}/deny", text(&shown, "approval_id"));
    runner.approver.post(&path, &json!({"note": "not now"})).await.expect(200);
    let denied = runner.reaches(&text(&asked, "id"), "failed").await;
    assert!(text(&denied, "error").contains("denied"), "{denied:#}");

    // The bucket is left out: what is gone has no way back.
    let some = [open[0].clone(), open[2].clone()];
    let asked = runner.remedy("auto_revert", &some, "asked").await;
    let kept = runner.sshd.home().join(".countersign/drift").join(text(&asked, "id"));
    std::fs::write(kept.join("plan"), "another plan").unwrap();
    runner.approve(&asked, "rolled_back").await;
    let failed = runner.reaches(&text(&asked, "id"), "failed").await;
    assert!(text(&failed, "error").contains("rolled_back"), "{failed:#}");
    assert_eq!(cloud.there(), changed);
    assert_eq!(runner.drift("open").await.len(), open.len(), "no click closes a finding");
}
