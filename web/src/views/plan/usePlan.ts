import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import { readRecord, type DecisionRecord } from '../../logic/decision'
import { fields, text } from '../../logic/json'
import { readPlan, runsNowhere, type PlanDocument } from '../../logic/planDocument'
import type { Source } from '../../logic/fromOutside'

export type Plan = Schema<'PlanOut'>
export type Approval = Schema<'ApprovalDetail'>
export type Execution = Schema<'ExecutionOut'>
export type Intent = Schema<'IntentOut'>
export type Decision = Schema<'DecisionOut'>

/** A plan with everything that belongs to it; what is on its way, or is not there, is absent. */
export interface Everything {
  plan: Plan
  document: PlanDocument
  approval: Approval | undefined
  /** The latest execution of the intent. */
  execution: Execution | undefined
  intent: Intent | undefined
  /** The decision on this very plan. */
  decision: Decision | undefined
  record: DecisionRecord | undefined
  /** The remediation it is a part of, and which: `prepare`, `change`, `check`. */
  remediation: Schema<'RemediedOut'> | undefined
  stage: string | undefined
  /** The exception it asks for. */
  exception: Schema<'ExceptionOut'> | undefined
  /** Something of it is still on its way. */
  pending: boolean
  /** Why something of it could not be loaded. */
  error: Error | null
  again: () => void
}

const one = (id: string) => ({ params: { path: { id } } })

/** A plan and all that is known around it. */
export function useEverything(plan: Plan, approval: Approval | undefined): Everything {
  const ofIntent = { intent_id: [plan.intent_id], limit: 1 }
  const executions = useQuery(get('/api/v1/executions', { params: { query: ofIntent } }))
  const intent = useQuery(get('/api/v1/intents/{id}', one(plan.intent_id)))
  const execution = executions.data?.items[0]
  // The decision of its approval, of its execution; else the latest on its intent.
  const latest = execution?.plan_id === plan.id ? execution.decision_id : intent.data?.decision_id
  const decisionId = approval?.decision_id ?? latest ?? undefined
  const decided = useQuery({
    ...get('/api/v1/decisions/{id}', one(decisionId ?? '')), enabled: decisionId !== undefined,
  })
  const mine = belongsTo(intent.data, 'remediation')
  const asked = belongsTo(intent.data, 'exception')
  const remediation = useQuery({ ...get('/api/v1/remediations/{id}', one(mine?.id ?? '')), enabled: mine !== undefined })
  const exception = useQuery({ ...get('/api/v1/exceptions/{id}', one(asked?.id ?? '')), enabled: asked !== undefined })
  // Planned again, the latest decision is on another plan.
  const decision = approval || decided.data?.plan_id === plan.id ? decided.data : undefined
  const document = useMemo(() => readPlan(plan.document), [plan.document])
  const record = useMemo(() => decision && readRecord(decision.record), [decision])
  const all = [
    executions, intent, ...(decisionId ? [decided] : []), ...(mine ? [remediation] : []), ...(asked ? [exception] : []),
  ]
  return {
    plan, document, approval, execution, intent: intent.data, decision, record,
    remediation: remediation.data, stage: mine?.stage, exception: exception.data,
    pending: all.some((query) => query.isPending),
    error: all.find((query) => query.error)?.error ?? null,
    again: () => all.forEach((query) => query.error && void query.refetch()),
  }
}

/** The latest approval asked for a plan, as it stands; `null` when none was asked for. */
export function useApprovalOf(planId: string) {
  const found = useQuery(get('/api/v1/approvals', { params: { query: { plan_id: [planId], limit: 1 } } }))
  const id = found.data?.items[0]?.id
  const approval = useQuery({ ...get('/api/v1/approvals/{id}', one(id ?? '')), enabled: id !== undefined })
  return {
    approval: approval.data ?? (found.data && id === undefined ? null : undefined),
    error: found.error ?? approval.error,
    refetch: () => void (found.error ? found.refetch() : approval.refetch()),
  }
}

/** What the gate's own name for a request says it belongs to: `remediation/rem_…/change`. */
function belongsTo(intent: Intent | undefined, kind: 'remediation' | 'exception') {
  const [of, id, stage] = intent?.deterministic_id.split('/') ?? []
  return of === kind && id ? { id, stage } : undefined
}

/**
 * Where values of the commands come from: the templates of the runbook, as long as they are those the
 * plan was made from, and what came with the request and with the alert.
 */
export function useSources(document: PlanDocument, intent: Intent | undefined) {
  const mayFindings = useMay('findings.read')
  const mayRunbooks = useMay('runbooks.read')
  const runbookId = document.runbook.id
  const runbook = useQuery({
    ...get('/api/v1/runbooks/{id}', one(runbookId)), enabled: mayRunbooks && runbookId !== '',
  })
  const finding = intent?.trigger === 'alert' ? intent.finding_id ?? undefined : undefined
  const alert = useQuery({
    ...get('/api/v1/alerts/{id}', one(finding ?? '')), enabled: mayFindings && finding !== undefined,
  })
  const given = useMemo(() => texts(fields(intent?.payload).variables), [intent?.payload])
  const same = runbook.data !== undefined && runbook.data.version === document.runbook.version
  const source = useMemo((): Source | undefined => {
    if (!same || !runbook.data) return undefined
    return { variables: texts(fields(runbook.data.document).environment_vars), given }
  }, [same, runbook.data, given])
  return { source, steps: same ? runbook.data?.document : undefined, given, alert: alert.data }
}

/** The texts of an object, by name. */
const texts = (value: unknown): Record<string, string> =>
  Object.fromEntries(Object.entries(fields(value)).map(([name, one]) => [name, text(one)]))

/** What people call a plan. An exception's summary names a procedure and no target. */
export const called = ({ plan, document }: Everything) =>
  runsNowhere(document) ? 'An exception' : plan.summary
