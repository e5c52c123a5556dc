-- Whoever leaves a table is looked for in every table that may refer to it: without these each row
-- that leaves would cost a walk through all the rows of its tenant.

CREATE INDEX executions_intent ON countersign.executions (tenant_id, intent_id);
CREATE INDEX executions_decision ON countersign.executions (tenant_id, decision_id);
CREATE INDEX executions_approval ON countersign.executions (tenant_id, approval_id)
  WHERE approval_id IS NOT NULL;
CREATE INDEX executions_finding ON countersign.executions (tenant_id, finding_id)
  WHERE finding_id IS NOT NULL;
CREATE INDEX approvals_intent ON countersign.approvals (tenant_id, intent_id);
CREATE INDEX approvals_plan ON countersign.approvals (tenant_id, plan_id);
CREATE INDEX approvals_decision ON countersign.approvals (tenant_id, decision_id);
CREATE INDEX decisions_plan ON countersign.decisions (tenant_id, plan_id);
CREATE INDEX decisions_risk ON countersign.decisions (tenant_id, risk_id);
CREATE INDEX risk_assessments_plan ON countersign.risk_assessments (tenant_id, plan_id);
CREATE INDEX tool_calls_attempt ON countersign.tool_calls (tenant_id, attempt_id);
CREATE INDEX evidence_step_run ON countersign.evidence (tenant_id, step_run_id)
  WHERE step_run_id IS NOT NULL;
CREATE INDEX outcomes_execution ON countersign.outcomes (tenant_id, execution_id)
  WHERE execution_id IS NOT NULL;
CREATE INDEX exceptions_finding ON countersign.exceptions (tenant_id, finding_id)
  WHERE finding_id IS NOT NULL;
