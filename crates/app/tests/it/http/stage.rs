//! One tenant with a real server, a runbook, an alert source, and the people it takes.

use connect_ssh::testing::Sshd;
use model::actor::Role;
use model::id::{TenantId, UserId};
use serde_json::{Value, json};

use super::harness::{Caller, Site, text};

/// Repairs by leaving a file; what it did is written to `effects` on the host, undoing included.
pub(crate) const REPAIR: &str = r#"
name: repair
category: service-management
mode: semi_auto
status: active
timeout_seconds: 60
environment_vars:
  NOTE: "{{ alert.labels.note }}"
steps:
  - name: Prepare
    command: echo prepared >> "$HOME/effects"
    rollback_command: echo unprepared >> "$HOME/effects"
    action: host.service.reload
    params: &note
      NOTE:
        pattern: "[^\\n]{1,500}"
  - name: Repair
    command: printf 'repaired %s\n' {{ NOTE }} >> "$HOME/effects"; touch "$HOME/repaired"
    rollback_command: rm -f "$HOME/repaired"; echo unrepaired >> "$HOME/effects"
    action: host.service.restart
    params: *note
  - name: Verify
    command: test -e "$HOME/repaired" && echo it is up
    semantics: read
    action: host.service.status
    stage: verify
    params: *note
triggers:
  - name: Broken
    alert_name_pattern: "Broken*"
    cooldown_seconds: 0
"#;

/// The group Alertmanager would send.
pub(crate) fn group(alerts: &[Value]) -> Value {
    json!({
        "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing",
        "receiver": "countersign", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.com:9093", "alerts": alerts,
    })
}

/// One firing alert; its number makes it another one.
pub(crate) fn alert(name: &str, instance: &str, number: usize, note: &str) -> Value {
    json!({
        "status": "firing",
        "labels": {"alertname": name, "instance": instance, "severity": "critical", "note": note},
        "annotations": {"summary": "it is down"},
        "startsAt": "2026-03-01T10:00:00.123Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.com/graph",
        "fingerprint": format!("{number:016x}"),
    })
}

pub(crate) struct Stage {
    pub(crate) sshd: Sshd,
    pub(crate) tenant: TenantId,
    /// A person who is logged in.
    pub(crate) admin: Caller,
    /// Who that is.
    pub(crate) user: UserId,
    pub(crate) approver: Caller,
    pub(crate) source: Caller,
    pub(crate) resource: String,
}

impl Stage {
    /// Sets one tenant up; `class` is the environment its server `web-1` is in.
    pub(crate) async fn set(site: &Site, tenant: TenantId, class: &str) -> Self {
        let sshd = Sshd::start().expect("OpenSSH's server");
        let (admin, user) = site.person_of(tenant, "ada", &[Role::Admin, Role::Auditor]).await;
        let approver = site.caller_of(tenant, "ann", &[Role::Approver]).await;
        let source = site.caller_of(tenant, "alertmanager", &[Role::Operator]).await;
        let known = json!({
            "name": "am", "kind": "alertmanager", "actor_id": source.actor.id.to_string(),
        });
        admin.post("/alert-sources", &known).await.expect(201);
        let rule = json!({"name": "all", "action": "auto_analyze"});
        admin.post("/alert-rules", &rule).await.expect(201);
        let resource = site.server(&admin, "web-1", class, &sshd).await;
        Self { sshd, tenant, admin, user, approver, source, resource }
    }

    /// Sends one alert and gives its finding.
    pub(crate) async fn fire(&self, alert: Value) -> String {
        let receipt = self.source.post("/hooks/alertmanager", &group(&[alert])).await.expect(200);
        assert_eq!(receipt["new"], 1, "{receipt}");
        receipt["finding_ids"][0].as_str().expect("a finding").to_owned()
    }

    /// What the assessment of an alert said, once it did.
    pub(crate) async fn analyzed(&self, site: &Site, finding: &str) -> Value {
        let path = format!("/alerts/{finding}");
        site.until("the alert's assessment", || async {
            let alert = self.admin.get(&path).await.expect(200);
            (alert["analyzed"] == true).then_some(alert)
        })
        .await
    }

    /// What was asked for the alert's first runbook.
    pub(crate) async fn asked(&self, site: &Site, finding: &str) -> Value {
        let alert = self.analyzed(site, finding).await;
        let asked = alert["trigger_report"]["started"][0]["asked"].clone();
        assert!(asked.is_object(), "{alert:#}");
        asked
    }

    /// Opens a session for a user just made; gives its id.
    pub(crate) async fn session(&self, site: &Site, made: &Value) -> String {
        let tenant: String =
            sqlx::query_scalar("SELECT slug FROM countersign.tenants WHERE id = $1")
                .bind(self.tenant.uuid())
                .fetch_one(site.test.admin())
                .await
                .expect("the tenant");
        let login = json!({
            "tenant": tenant, "username": made["user"]["username"],
            "password": made["one_time_password"],
        });
        text(&self.source.post("/login", &login).await.expect(200), "session_id")
    }

    /// Approves an approval as the second person.
    pub(crate) async fn approve(&self, approval: &str) -> Value {
        let path = format!("/approvals/{approval}/approve");
        self.approver.post(&path, &json!({"note": "looked at it"})).await.expect(200)
    }

    /// What was done on the host, line by line.
    pub(crate) fn effects(&self) -> Vec<String> {
        let path = self.sshd.home().join("effects");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Fires, approves and runs to the end.
    pub(crate) async fn run_through(&self, site: &Site, number: usize, state: &str) -> Value {
        let finding = self.fire(alert("Broken", "web-1", number, "x")).await;
        let asked = self.asked(site, &finding).await;
        self.approve(&text(&asked, "approval_id")).await;
        site.reaches(&self.admin, &text(&asked, "execution_id"), state).await
    }
}
