//! Documents that must be read, and documents that must not.

use super::*;
use crate::runbook::status::Status;
use model::intent::ExecutionMode;

/// The example of the source document, section 8, word for word.
pub(crate) const SEED: &str = r#"name: restart-service
description: Restart a failing service
category: service-management
mode: semi_auto
target_os: linux
timeout_seconds: 300
requires_approval: true
approval_roles:
  - admin
  - engineer
environment_vars:
  SERVICE_NAME: "{{ alert.labels.service }}"

steps:
  - name: Check service status
    command: systemctl status {{ SERVICE_NAME }}
    expected_exit_codes: [0, 3]  # 3 = stopped
    timeout_seconds: 30

  - name: Restart service
    command: sudo systemctl restart {{ SERVICE_NAME }}
    timeout_seconds: 60
    rollback_command: sudo systemctl stop {{ SERVICE_NAME }}

  - name: Verify service
    command: systemctl is-active {{ SERVICE_NAME }}
    expected_exit_codes: [0]
    timeout_seconds: 30

triggers:
  - name: Service down alert
    alert_name_pattern: "ServiceDown*"
    severity_pattern: "critical"
    labels_match:
      type: service
    cooldown_seconds: 300
"#;

#[test]
fn the_example_of_the_source_document_is_read_with_its_defaults() {
    let runbook = from_yaml(SEED).unwrap();
    assert_eq!(runbook.name, "restart-service");
    assert_eq!(runbook.mode, ExecutionMode::SemiAuto);
    assert_eq!(runbook.status, Status::Draft);
    assert_eq!(runbook.steps[0].expected_exit_codes, [0, 3]);
    assert_eq!(runbook.steps[1].expected_exit_codes, [0]);
    assert_eq!(runbook.triggers[0].labels_match["type"], "service");
    assert_eq!(runbook.environment_vars["SERVICE_NAME"], "{{ alert.labels.service }}");
}

fn refused(text: &str) -> Problem {
    from_yaml(text).unwrap_err().remove(0)
}

#[test]
fn what_is_no_runbook_is_refused_with_its_place() {
    let tail = "steps:\n  - name: a\n    command: ls\n";
    for (text, code, path, line) in [
        (format!("name: x\ncolour: red\n{tail}"), "unknown_key", "/colour", 2),
        (format!("name: x\nname: y\n{tail}"), "duplicate_key", "/name", 2),
        (
            format!("name: x\nrequires_approval: yes\n{tail}"),
            "not_a_boolean",
            "/requires_approval",
            2,
        ),
        (format!("name: x\nmode: sometimes\n{tail}"), "not_a_runbook", "/mode", 2),
        (
            format!("name: x\n{tail}    retry_count: many\n"),
            "not_a_runbook",
            "/steps/0/retry_count",
            5,
        ),
        (format!("name: x\n{tail}    retries: 1\n"), "unknown_key", "/steps/0/retries", 5),
        (format!("name: !secret x\n{tail}"), "tag", "/name", 1),
        (format!("name: [x\n{tail}"), "not_a_runbook", "", 0),
        ("name: x\nsteps:\n  - name: a\n".to_owned(), "missing_key", "", 0),
        (format!("base: &b {{name: x}}\n<<: *b\n{tail}"), "", "", 0),
        (format!("name: x\n{tail}---\nname: y\n{tail}"), "", "", 0),
        (String::new(), "", "", 0),
        ("- a\n".to_owned(), "", "", 0),
    ] {
        let problem = refused(&text);
        if !code.is_empty() {
            assert_eq!(problem.code, code, "{text}\n{problem}");
        }
        if line > 0 {
            assert_eq!((problem.path.as_str(), problem.line), (path, line), "{text}\n{problem}");
        }
        assert!(problem.line >= 1 && problem.column >= 1, "{problem}");
    }
}

#[test]
fn alias_bombs_and_oversized_texts_are_refused() {
    let mut bomb =
        String::from("name: x\nsteps: []\nconfig:\n  a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (name, before) in ["b", "c", "d", "e", "f", "g"].iter().zip(["a", "b", "c", "d", "e", "f"])
    {
        let nine = vec![format!("*{before}"); 9].join(", ");
        bomb.push_str(&format!("  {name}: &{name} [{nine}]\n"));
    }
    let problem = refused(&bomb);
    assert_eq!(problem.code, "too_large", "{problem}");
    assert_eq!(refused(&"#".repeat(MAX_BYTES + 1)).code, "too_large");
}
