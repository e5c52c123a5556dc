/** A whole runbook with remarks, to begin from: lint has nothing to object to it. */
export const SKELETON = `# What may be done about something, and how it is known to have worked.
# Nothing here runs by itself: every run is asked for, judged by the gate, and written down.
name: restart-a-service
description: Restart a system service that is down, and check that it is up again.
category: service-management

# manual: only a person asks. semi_auto: alerts may ask, somebody approves. auto: as far as the gate allows.
mode: manual
# draft: people may run it, alerts do not. active: alerts ask for it. disabled: nobody may run it.
status: draft
# Seconds the whole may take.
timeout_seconds: 300

# At most so many runs in so many seconds.
rate_limit_count: 6
rate_limit_window_seconds: 3600

# Whose approval counts.
approval_roles:
  - admin
  - approver

# Variables: in commands as {{ SERVICE_NAME }}, and in the environment of every step.
# Who asks may give another value; an alert's labels come from outside and are quoted.
environment_vars:
  SERVICE_NAME: "{{ alert.labels.service }}"

steps:
  - name: Look first
    description: Shows the state before anything changes; 3 means stopped.
    command: systemctl status --no-pager -- {{ SERVICE_NAME }}
    expected_exit_codes: [0, 3]
    timeout_seconds: 30
    # read: changes nothing. idempotent: twice is the same as once. Unless said: never twice.
    semantics: read
    # The kind of action the risk is looked up by.
    action: host.service.status

  - name: Restart
    command: sudo -n systemctl restart -- {{ SERVICE_NAME }}
    # What takes this step back when a later one fails.
    rollback_command: sudo -n systemctl stop -- {{ SERVICE_NAME }}
    timeout_seconds: 60
    action: host.service.restart

  # Only what is checked has worked: without such a step a runbook cannot become active.
  - name: Verify
    command: systemctl is-active -- {{ SERVICE_NAME }}
    timeout_seconds: 30
    semantics: read
    action: host.service.status
    stage: verify

# Which alerts ask for it. * and ? stand for anything; re: begins a regular expression.
triggers:
  - name: Service down
    alert_name_pattern: "ServiceDown*"
    labels_match:
      service: "*"
    # Seconds until it may start again on the same host.
    cooldown_seconds: 300
`
