-- Drift: the detail of a finding of kind `drift`, and what is known about any finding.

CREATE TABLE countersign.drift_events (
  tenant_id uuid NOT NULL,
  finding_id uuid NOT NULL,
  -- Null for what exists without being declared: document 004 has no place for drift of type added.
  iac_resource_id uuid,
  drift_type text NOT NULL,
  actual_state jsonb,
  declared_state jsonb,
  risk_assessment jsonb NOT NULL DEFAULT '{}',
  tags jsonb NOT NULL DEFAULT '{}',
  metadata jsonb NOT NULL DEFAULT '{}',
  CONSTRAINT drift_events_pk PRIMARY KEY (tenant_id, finding_id),
  CONSTRAINT drift_events_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id),
  CONSTRAINT drift_events_declared_fk FOREIGN KEY (tenant_id, iac_resource_id)
    REFERENCES countersign.iac_resources (tenant_id, id) ON DELETE SET NULL (iac_resource_id),
  CONSTRAINT drift_events_type_word
    CHECK (drift_type IN ('modified', 'deleted', 'added', 'moved'))
);
CREATE INDEX drift_events_declared ON countersign.drift_events (tenant_id, iac_resource_id);
SELECT countersign.protect('countersign.drift_events');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.drift_events TO countersign_app;

CREATE TABLE countersign.drift_changes (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  finding_id uuid NOT NULL,
  property_path text NOT NULL,
  declared_value jsonb,
  actual_value jsonb,
  change_type text NOT NULL,
  is_security_critical boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT drift_changes_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT drift_changes_event_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.drift_events (tenant_id, finding_id) ON DELETE CASCADE,
  CONSTRAINT drift_changes_type_word CHECK (change_type IN ('modified', 'added', 'removed'))
) PARTITION BY RANGE (id);
CREATE INDEX drift_changes_finding ON countersign.drift_changes (tenant_id, finding_id);
SELECT countersign.protect('countersign.drift_changes');
SELECT countersign.keep_by_month('countersign.drift_changes');
GRANT SELECT, INSERT, DELETE ON countersign.drift_changes TO countersign_app;

-- Document 004 hangs what follows on drift alone; here on any finding.
CREATE TABLE countersign.correlations (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  finding_id uuid NOT NULL,
  correlation_type text NOT NULL,
  external_id text NOT NULL,
  external_system text NOT NULL,
  event_data jsonb NOT NULL,
  correlation_score float8,
  -- From the finding to the event: negative is before it.
  temporal_offset interval,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT correlations_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT correlations_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT correlations_score_range CHECK (correlation_score BETWEEN 0 AND 1)
) PARTITION BY RANGE (id);
CREATE INDEX correlations_finding
  ON countersign.correlations (tenant_id, finding_id, temporal_offset);
SELECT countersign.protect('countersign.correlations');
SELECT countersign.keep_by_month('countersign.correlations');
GRANT SELECT, INSERT, DELETE ON countersign.correlations TO countersign_app;

CREATE TABLE countersign.operational_context (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  finding_id uuid NOT NULL,
  context_type text NOT NULL,
  context_data jsonb NOT NULL,
  incident_impact text,
  time_window interval,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT operational_context_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT operational_context_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT operational_context_type_word
    CHECK (context_type IN ('incident', 'deployment', 'maintenance', 'security_event')),
  CONSTRAINT operational_context_impact_word CHECK (incident_impact IN ('low', 'medium', 'high'))
) PARTITION BY RANGE (id);
CREATE INDEX operational_context_finding ON countersign.operational_context (tenant_id, finding_id);
SELECT countersign.protect('countersign.operational_context');
SELECT countersign.keep_by_month('countersign.operational_context');
GRANT SELECT, INSERT, DELETE ON countersign.operational_context TO countersign_app;

-- Document 004 says one a drift and constrains nothing; two documents name six classes each, of
-- which five are the same. Seven, one row a finding.
CREATE TABLE countersign.cause_analyses (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  finding_id uuid NOT NULL,
  cause_category text NOT NULL,
  confidence_score float8 NOT NULL,
  -- In words, as document 002 keeps it with the alert.
  analysis text NOT NULL DEFAULT '',
  contributing_factors jsonb NOT NULL DEFAULT '[]',
  temporal_context jsonb NOT NULL DEFAULT '{}',
  user_attribution jsonb NOT NULL DEFAULT '{}',
  analyzed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT cause_analyses_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT cause_analyses_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT cause_analyses_finding_key UNIQUE (tenant_id, finding_id),
  CONSTRAINT cause_analyses_category_word CHECK (cause_category IN (
    'emergency_fix', 'manual_troubleshooting', 'security_response', 'configuration_error',
    'automated_response', 'intentional_override', 'unknown')),
  CONSTRAINT cause_analyses_confidence_range CHECK (confidence_score BETWEEN 0 AND 1)
);
SELECT countersign.protect('countersign.cause_analyses');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.cause_analyses TO countersign_app;

-- Document 004 makes the name alone unique, and wants five versions kept.
CREATE TABLE countersign.ml_models (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  version text NOT NULL,
  model_type text NOT NULL,
  framework text NOT NULL,
  artifact_path text,
  features jsonb NOT NULL,
  target_classes jsonb,
  metrics jsonb NOT NULL DEFAULT '{}',
  trained_at timestamptz NOT NULL,
  deployed_at timestamptz,
  is_active boolean NOT NULL DEFAULT false,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT ml_models_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT ml_models_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT ml_models_version_key UNIQUE (tenant_id, name, version),
  CONSTRAINT ml_models_type_word
    CHECK (model_type IN ('classification', 'regression', 'clustering'))
);
-- Of the versions of a model one at most decides.
CREATE UNIQUE INDEX ml_models_active_key ON countersign.ml_models (tenant_id, name) WHERE is_active;
SELECT countersign.protect('countersign.ml_models');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.ml_models TO countersign_app;

CREATE TABLE countersign.ml_predictions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  finding_id uuid NOT NULL,
  ml_model_id uuid NOT NULL,
  prediction_result jsonb NOT NULL,
  prediction_metadata jsonb NOT NULL DEFAULT '{}',
  predicted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT ml_predictions_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT ml_predictions_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT ml_predictions_model_fk FOREIGN KEY (tenant_id, ml_model_id)
    REFERENCES countersign.ml_models (tenant_id, id) ON DELETE CASCADE
) PARTITION BY RANGE (id);
CREATE INDEX ml_predictions_finding ON countersign.ml_predictions (tenant_id, finding_id);
CREATE INDEX ml_predictions_model ON countersign.ml_predictions (tenant_id, ml_model_id, id);
SELECT countersign.protect('countersign.ml_predictions');
SELECT countersign.keep_by_month('countersign.ml_predictions');
GRANT SELECT, INSERT, DELETE ON countersign.ml_predictions TO countersign_app;

CREATE TABLE countersign.ml_performance_metrics (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  ml_model_id uuid NOT NULL,
  evaluation_date date NOT NULL,
  training_data_size integer,
  accuracy float8,
  precision_macro float8,
  recall_macro float8,
  f1_score_macro float8,
  confusion_matrix jsonb,
  feature_importance jsonb,
  cross_validation_scores jsonb,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT ml_performance_metrics_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT ml_performance_metrics_model_fk FOREIGN KEY (tenant_id, ml_model_id)
    REFERENCES countersign.ml_models (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT ml_performance_metrics_day_key UNIQUE (tenant_id, ml_model_id, evaluation_date),
  CONSTRAINT ml_performance_metrics_range CHECK (
    accuracy BETWEEN 0 AND 1 AND precision_macro BETWEEN 0 AND 1
    AND recall_macro BETWEEN 0 AND 1 AND f1_score_macro BETWEEN 0 AND 1)
);
SELECT countersign.protect('countersign.ml_performance_metrics');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.ml_performance_metrics TO countersign_app;

-- Roll-ups that outlive the findings they count.
CREATE TABLE countersign.drift_metrics_daily (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  environment_id uuid NOT NULL,
  date date NOT NULL,
  total_drifts integer NOT NULL DEFAULT 0,
  resolved_drifts integer NOT NULL DEFAULT 0,
  avg_resolution_time interval,
  top_cause_categories jsonb NOT NULL DEFAULT '{}',
  severity_distribution jsonb NOT NULL DEFAULT '{}',
  recommendation_adoption_rate float8,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT drift_metrics_daily_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT drift_metrics_daily_environment_fk FOREIGN KEY (tenant_id, environment_id)
    REFERENCES countersign.environments (tenant_id, id),
  CONSTRAINT drift_metrics_daily_day_key UNIQUE (tenant_id, environment_id, date),
  CONSTRAINT drift_metrics_daily_rate_range CHECK (recommendation_adoption_rate BETWEEN 0 AND 1)
);
SELECT countersign.protect('countersign.drift_metrics_daily');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.drift_metrics_daily TO countersign_app;

-- Documents 001 and 004 have a table of this name each; one row holds what either knows. 001 keeps
-- neither status nor subject nor expiry; 004 leaves the result to whoever claims it.
CREATE TABLE countersign.recommendations (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  finding_id uuid,
  resource_id uuid,
  kind text NOT NULL,
  recommendation_type text,
  priority text NOT NULL DEFAULT 'medium',
  severity text NOT NULL DEFAULT 'medium',
  title text NOT NULL,
  description text NOT NULL DEFAULT '',
  rationale text NOT NULL DEFAULT '',
  implementation_steps jsonb NOT NULL DEFAULT '[]',
  risk_assessment jsonb NOT NULL DEFAULT '{}',
  savings numeric,
  savings_currency text NOT NULL DEFAULT 'USD',
  risk_reduction numeric,
  confidence float8 NOT NULL,
  estimated_effort text,
  recommended_by text NOT NULL,
  status text NOT NULL DEFAULT 'open',
  intent_id uuid,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz,
  implemented_at timestamptz,
  implementation_result jsonb,
  CONSTRAINT recommendations_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT recommendations_tenant_fk FOREIGN KEY (tenant_id) REFERENCES countersign.tenants (id),
  CONSTRAINT recommendations_finding_fk FOREIGN KEY (tenant_id, finding_id)
    REFERENCES countersign.findings (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT recommendations_resource_fk FOREIGN KEY (tenant_id, resource_id)
    REFERENCES countersign.resources (tenant_id, id),
  CONSTRAINT recommendations_intent_fk FOREIGN KEY (tenant_id, intent_id)
    REFERENCES countersign.intents (tenant_id, id),
  CONSTRAINT recommendations_kind_word CHECK (kind IN (
    'cost_optimization', 'compliance', 'security', 'rightsizing', 'drift', 'operations')),
  CONSTRAINT recommendations_type_word CHECK (recommendation_type IN (
    'auto_revert', 'codify_iac', 'escalate_review', 'accept_exception', 'manual_review')),
  CONSTRAINT recommendations_priority_word
    CHECK (priority IN ('low', 'medium', 'high', 'critical')),
  CONSTRAINT recommendations_severity_word
    CHECK (severity IN ('low', 'medium', 'high', 'critical')),
  CONSTRAINT recommendations_confidence_range CHECK (confidence BETWEEN 0 AND 1),
  CONSTRAINT recommendations_effort_word CHECK (estimated_effort IN ('minutes', 'hours', 'days')),
  CONSTRAINT recommendations_author_word
    CHECK (recommended_by IN ('ml_model', 'ai_agent', 'human', 'rule')),
  CONSTRAINT recommendations_status_word
    CHECK (status IN ('open', 'accepted', 'dismissed', 'implemented', 'expired')),
  CONSTRAINT recommendations_currency_shape CHECK (savings_currency ~ '^[A-Z]{3}$'),
  CONSTRAINT recommendations_drift_has_type
    CHECK (kind <> 'drift' OR (recommendation_type IS NOT NULL AND finding_id IS NOT NULL)),
  -- Set by the execution that carried it out, never by a claim.
  CONSTRAINT recommendations_done_by_intent
    CHECK (implemented_at IS NULL OR intent_id IS NOT NULL)
);
CREATE INDEX recommendations_kind ON countersign.recommendations (tenant_id, kind, severity);
CREATE INDEX recommendations_finding ON countersign.recommendations (tenant_id, finding_id);
CREATE INDEX recommendations_open ON countersign.recommendations (tenant_id, expires_at)
  WHERE status = 'open';
SELECT countersign.protect('countersign.recommendations');
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.recommendations TO countersign_app;

-- The recommendations of an analysis as they came in; the rows above are made of them.
ALTER TABLE countersign.alerts ADD COLUMN recommendations_json jsonb;
