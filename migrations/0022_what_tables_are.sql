-- What each table is, which tables of the source documents it stands for, and how long its rows are
-- to be kept. `docs/data-model.md` is made of these lines.

COMMENT ON TABLE countersign.tenants IS
  'A customer, and the edge of every wall. | 001 tenants, 003 tenants, 004 organizations | kept';
COMMENT ON TABLE countersign.actors IS
  'Whoever acts: a person, a service, an agent; the one place roles are kept. | 000 Actor | kept';
COMMENT ON TABLE countersign.users IS
  'People with a login. | 001 users, 002 users | kept';
COMMENT ON TABLE countersign.user_sessions IS
  'Logins that are open or were. | 004 user_sessions | until 30 days after their end';
COMMENT ON TABLE countersign.api_keys IS
  'Keys of actors: the public part and a hash. | 003 api_keys | kept';
COMMENT ON TABLE countersign.usage_logs IS
  'What a quota is counted from, by month. | 003 usage log | 13 months';
COMMENT ON TABLE countersign.system_config IS
  'Settings of a tenant. | 000 Config, 002 system_config | kept';
COMMENT ON TABLE countersign.idempotency_keys IS
  'Answers to requests that may be repeated. | – | 24 hours';
COMMENT ON TABLE countersign.environments IS
  'Where things run, with the class policy decides by. | 000 ContextRef, 004 environments | kept';
COMMENT ON TABLE countersign.resources IS
  'Real things, one row each. | 000 ResourceRef and context_nodes, 001 resources, 002 server_credentials | kept';
COMMENT ON TABLE countersign.resource_edges IS
  'How resources hang together. | 000 context_edges | kept';
COMMENT ON TABLE countersign.services IS
  'The catalogue of services. | 000 Service | kept';
COMMENT ON TABLE countersign.context_snapshots IS
  'What the estate looked like at a time. | – | 90 days';
COMMENT ON TABLE countersign.connections IS
  'How a resource is reached. | 002 server_credentials | kept';
COMMENT ON TABLE countersign.credentials IS
  'Secrets, sealed; written, never read. | 002 server_credentials and llm_providers, 004 iac_repositories | kept';
COMMENT ON TABLE countersign.host_keys IS
  'Host keys people have pinned. | – | kept';
COMMENT ON TABLE countersign.iac_repositories IS
  'Where code declares the estate. | 004 iac_repositories | kept';
COMMENT ON TABLE countersign.iac_resources IS
  'What it declares. | 004 iac_resources | kept';
COMMENT ON TABLE countersign.alert_sources IS
  'Who may send alerts, and how they are read. | – | kept';
COMMENT ON TABLE countersign.alert_rules IS
  'What is done with an alert. | 002 auto_analyze_rules | kept';
COMMENT ON TABLE countersign.findings IS
  'The header that alerts, drift, violations, cost and exposures share. | 001 violations, 002 alerts, 004 drift_events | 90 days after their end';
COMMENT ON TABLE countersign.alerts IS
  'The detail of an alert. | 002 alerts | with its finding';
COMMENT ON TABLE countersign.quarantined_alerts IS
  'What could not be read, with the reason. | – | 90 days';
COMMENT ON TABLE countersign.drift_events IS
  'The detail of a drift. | 004 drift_events | with its finding';
COMMENT ON TABLE countersign.drift_changes IS
  'The properties that differ, by month. | 004 drift_changes | with its finding';
COMMENT ON TABLE countersign.violations IS
  'The detail of a violation. | 001 violations | with its finding';
COMMENT ON TABLE countersign.correlations IS
  'What else happened around a finding, by month. | 004 correlation_events | 90 days';
COMMENT ON TABLE countersign.operational_context IS
  'Incidents, deployments and windows around a finding, by month. | 004 operational_context | 90 days';
COMMENT ON TABLE countersign.cause_analyses IS
  'Why, with the factors. | 002 alerts, 004 drift_cause_analysis | with its finding';
COMMENT ON TABLE countersign.ml_models IS
  'Models and their versions. | 004 ml_models | the last five versions';
COMMENT ON TABLE countersign.ml_predictions IS
  'What models said, by month. | 004 ml_predictions | 90 days';
COMMENT ON TABLE countersign.ml_performance_metrics IS
  'How models do, day by day. | 004 ml_performance_metrics | with its model';
COMMENT ON TABLE countersign.drift_metrics_daily IS
  'Drift, day by day and environment. | 004 drift_metrics_daily | kept';
COMMENT ON TABLE countersign.recommendations IS
  'What could be done. | 001 recommendations, 004 recommendations | 90 days after their end';
COMMENT ON TABLE countersign.policies IS
  'The catalogue of the providers'' policies. | 001 policies | kept';
COMMENT ON TABLE countersign.exceptions IS
  'Who may break a policy for a while, and by which approval. | 001 exceptions | three years';
COMMENT ON TABLE countersign.cost_timeseries IS
  'Cost, day by day. | 001 cost_timeseries | three years';
COMMENT ON TABLE countersign.policy_bundles IS
  'The gate''s rules, version by version. | – | kept';
COMMENT ON TABLE countersign.blackout_windows IS
  'When nothing may run. | 002 blackout_windows | kept';
COMMENT ON TABLE countersign.circuit_breakers IS
  'What has failed too often. | 002 circuit_breakers | kept';
COMMENT ON TABLE countersign.rate_limits IS
  'How often something may start. | 002 runbooks | kept';
COMMENT ON TABLE countersign.rate_slots IS
  'The starts that count against a limit. | – | until they count no more';
COMMENT ON TABLE countersign.intents IS
  'What was asked for. | 000 Plan, 001 actions, 002 runbook_executions, 003 intents | three years';
COMMENT ON TABLE countersign.plans IS
  'Exactly what would be done. | 000 plans and Plan | three years';
COMMENT ON TABLE countersign.plan_steps IS
  'Its steps. | 000 plan_steps and PlanStep | three years';
COMMENT ON TABLE countersign.risk_assessments IS
  'How risky, with every input. | 000 RiskScore, 003 decision_audit_log | three years';
COMMENT ON TABLE countersign.decisions IS
  'What the gate decided, signed. | 000 ApprovalRequirement, 003 decision_audit_log | three years';
COMMENT ON TABLE countersign.approvals IS
  'What people were asked to agree to. | 000 approvals and Approval | three years';
COMMENT ON TABLE countersign.approval_votes IS
  'Who agreed. | 000 Approval, 002 runbook_executions | three years';
COMMENT ON TABLE countersign.executions IS
  'Plans under way or over. | 000 executions, 001 actions, 002 runbook_executions | three years';
COMMENT ON TABLE countersign.step_runs IS
  'A step on a target. | 002 step_executions | three years';
COMMENT ON TABLE countersign.attempts IS
  'Each time a step was tried, written before it began. | – | three years';
COMMENT ON TABLE countersign.tool_calls IS
  'Calls to the outside, with their output''s hash. | 000 tool_calls and ToolCall | three years';
COMMENT ON TABLE countersign.execution_events IS
  'What happened, in order, for people who watch. | 001 action_events, 002 runbook_executions | three years';
COMMENT ON TABLE countersign.evidence IS
  'What proves it. | 000 evidence and Evidence | three years';
COMMENT ON TABLE countersign.outcomes IS
  'What came of an intent. | 003 intent_outcomes | three years';
COMMENT ON TABLE countersign.beta_state IS
  'What was learned: failures and successes by category. | 003 beta_state | kept';
COMMENT ON TABLE countersign.audit_outbox IS
  'Events on their way into the log. | – | until sequenced';
COMMENT ON TABLE countersign.audit_heads IS
  'How long each log is. | – | kept';
COMMENT ON TABLE countersign.audit_events IS
  'The log. | 000 audit_events and AuditEvent, 001 audits, 002 audit_log, 004 audit_log | seven years';
COMMENT ON TABLE countersign.audit_quarantine IS
  'What came into the outbox without a valid MAC. | – | seven years';
COMMENT ON TABLE countersign.audit_checkpoints IS
  'Signed heads of the log. | – | seven years';
COMMENT ON TABLE countersign.runbooks IS
  'Reusable plans. | 002 runbooks | kept';
COMMENT ON TABLE countersign.runbook_steps IS
  'Their steps. | 002 runbook_steps | kept';
COMMENT ON TABLE countersign.runbook_triggers IS
  'Which alerts start them. | 002 runbook_triggers | kept';
COMMENT ON TABLE countersign.runbook_versions IS
  'Every version, as YAML. | 002 runbook_versions | kept';
COMMENT ON TABLE countersign.runbook_trigger_starts IS
  'When a trigger last started something. | 002 runbook_triggers | until they count no more';
COMMENT ON TABLE countersign.schedules IS
  'Runbooks by the clock. | – | kept';
COMMENT ON TABLE countersign.llm_providers IS
  'Language models, and which is the default. | 002 llm_providers | kept';
COMMENT ON TABLE countersign.chat_sessions IS
  'Conversations. | 002 chat_sessions | 90 days';
COMMENT ON TABLE countersign.chat_messages IS
  'What was said, by month. | 002 chat_messages | 90 days';
COMMENT ON TABLE countersign.terminal_sessions IS
  'Sessions on hosts, with their recording''s hash. | 002 terminal_sessions | three years';
COMMENT ON TABLE countersign.notification_channels IS
  'Where people are told. | 004 notification_channels | kept';
COMMENT ON TABLE countersign.notifications IS
  'What they were told. | 004 notifications | 90 days';
COMMENT ON TABLE countersign.jobs IS
  'Work handed from one stage to the next. | 001 queue envelope | 30 days after its end';
