-- Document 004, infrastructure drift.

CREATE VIEW lens_drift.organizations WITH (security_invoker = true) AS
SELECT t.id, t.name, t.slug, t.description, t.contact_email, t.created_at, t.updated_at,
  t.is_active
FROM countersign.tenants t;

CREATE VIEW lens_drift.environments WITH (security_invoker = true) AS
SELECT e.id, e.tenant_id AS organization_id, e.name, e.slug, e.cloud_provider, e.region,
  e.account_id, e.tags, e.created_at, e.updated_at, e.is_active
FROM countersign.environments e
WHERE e.cloud_provider IN ('aws', 'gcp', 'azure');

-- The secret is shown as it is stored: sealed.
CREATE VIEW lens_drift.iac_repositories WITH (security_invoker = true) AS
SELECT r.id, r.environment_id, r.name, r.repository_url, r.branch,
  CASE r.tool WHEN 'opentofu' THEN 'terraform' ELSE r.tool END AS tool, r.last_sync_at,
  k.ciphertext AS credentials_encrypted, r.created_at, r.updated_at
FROM countersign.iac_repositories r
LEFT JOIN countersign.credentials k ON k.tenant_id = r.tenant_id AND k.id = r.credential_id;

CREATE VIEW lens_drift.iac_resources WITH (security_invoker = true) AS
SELECT r.id, r.iac_repository_id, r.resource_type, r.address AS resource_id, r.declared_state,
  r.last_sync_at, r.created_at, r.updated_at
FROM countersign.iac_resources r;

CREATE VIEW lens_drift.drift_events WITH (security_invoker = true) AS
SELECT f.id, f.environment_id, d.iac_resource_id, d.drift_type, d.actual_state, d.declared_state,
  f.first_seen AS detected_at, f.resolved_at, f.resolution_type, f.severity_score,
  f.confidence_score, d.risk_assessment, d.tags, d.metadata
FROM countersign.drift_events d
JOIN countersign.findings f ON f.tenant_id = d.tenant_id AND f.id = d.finding_id;

CREATE VIEW lens_drift.drift_changes WITH (security_invoker = true) AS
SELECT c.id, c.finding_id AS drift_event_id, c.property_path, c.declared_value, c.actual_value,
  c.change_type, c.is_security_critical, c.created_at
FROM countersign.drift_changes c;

CREATE VIEW lens_drift.ml_models WITH (security_invoker = true) AS
SELECT m.id, m.name, m.version, m.model_type, m.framework, m.artifact_path, m.features,
  m.target_classes, m.metrics, m.trained_at, m.deployed_at, m.is_active, m.metadata, m.created_at
FROM countersign.ml_models m;

CREATE VIEW lens_drift.ml_predictions WITH (security_invoker = true) AS
SELECT p.id, p.finding_id AS drift_event_id, p.ml_model_id, p.prediction_result,
  p.prediction_metadata, p.predicted_at
FROM countersign.ml_predictions p;

-- The document's table knows six classes: what a person overrode on purpose is unknown to it.
CREATE VIEW lens_drift.drift_cause_analysis WITH (security_invoker = true) AS
SELECT c.id, c.finding_id AS drift_event_id,
  CASE c.cause_category WHEN 'intentional_override' THEN 'unknown' ELSE c.cause_category END
    AS cause_category,
  c.confidence_score, c.contributing_factors, c.temporal_context, c.user_attribution,
  c.analyzed_at
FROM countersign.cause_analyses c
JOIN countersign.drift_events d ON d.tenant_id = c.tenant_id AND d.finding_id = c.finding_id;

CREATE VIEW lens_drift.recommendations WITH (security_invoker = true) AS
SELECT r.id, r.finding_id AS drift_event_id, r.recommendation_type, r.priority,
  r.confidence AS confidence_score, r.rationale, r.implementation_steps, r.risk_assessment,
  r.estimated_effort, r.recommended_by, r.created_at, r.expires_at, r.implemented_at,
  r.implementation_result
FROM countersign.recommendations r
WHERE r.recommendation_type IS NOT NULL;

CREATE VIEW lens_drift.correlation_events WITH (security_invoker = true) AS
SELECT c.id, c.finding_id AS drift_event_id, c.correlation_type, c.external_id, c.external_system,
  c.event_data, c.correlation_score, c.temporal_offset, c.created_at
FROM countersign.correlations c;

CREATE VIEW lens_drift.operational_context WITH (security_invoker = true) AS
SELECT c.id, c.finding_id AS drift_event_id, c.context_type, c.context_data, c.incident_impact,
  c.time_window, c.created_at
FROM countersign.operational_context c;

-- The document's key cannot be on a table partitioned by time, and its integer cannot hold the ids
-- of what it records: here the key is the place in the log, and ids are text.
CREATE VIEW lens_drift.audit_log WITH (security_invoker = true) AS
SELECT a.seq AS id, a.occurred_at AS timestamp, u.id AS user_id, a.action,
  a.target_type AS resource_type, a.target_id AS resource_id,
  document #> '{context,old_values}' AS old_values,
  document #> '{context,new_values}' AS new_values,
  countersign.address(document ->> 'ip_address') AS ip_address,
  document ->> 'user_agent' AS user_agent, document ->> 'session_id' AS session_id,
  a.tenant_id AS organization_id, a.success, document ->> 'error' AS error_message
FROM countersign.audit_events a
CROSS JOIN LATERAL (SELECT convert_from(a.canon, 'UTF8')::jsonb AS document) event
LEFT JOIN countersign.users u ON u.tenant_id = a.tenant_id AND u.actor_id = a.actor_id;

CREATE VIEW lens_drift.user_sessions WITH (security_invoker = true) AS
SELECT s.id::text AS id, s.user_id, s.tenant_id AS organization_id,
  countersign.address(s.ip_address) AS ip_address,
  s.user_agent, s.created_at, s.expires_at, s.last_activity, s.is_active
FROM countersign.user_sessions s;

CREATE VIEW lens_drift.notification_channels WITH (security_invoker = true) AS
SELECT c.id, c.tenant_id AS organization_id, c.name, c.channel_type, c.configuration, c.is_active,
  c.created_at
FROM countersign.notification_channels c;

CREATE VIEW lens_drift.notifications WITH (security_invoker = true) AS
SELECT n.id, n.finding_id AS drift_event_id, n.channel_id, n.notification_type, n.subject,
  n.message, n.priority, n.sent_at, n.delivered_at, n.read_at, n.metadata
FROM countersign.notifications n;

CREATE VIEW lens_drift.drift_metrics_daily WITH (security_invoker = true) AS
SELECT m.id, m.environment_id, m.date, m.total_drifts, m.resolved_drifts, m.avg_resolution_time,
  m.top_cause_categories, m.severity_distribution, m.recommendation_adoption_rate, m.created_at
FROM countersign.drift_metrics_daily m;

CREATE VIEW lens_drift.ml_performance_metrics WITH (security_invoker = true) AS
SELECT m.id, m.ml_model_id, m.evaluation_date, m.training_data_size, m.accuracy,
  m.precision_macro, m.recall_macro, m.f1_score_macro, m.confusion_matrix, m.feature_importance,
  m.cross_validation_scores, m.created_at
FROM countersign.ml_performance_metrics m;

SELECT countersign.open_lens('lens_drift');
