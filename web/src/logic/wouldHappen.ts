import { asList, asNumber, asRecord, asText, asTexts } from './loose'
import { readPlan, wayBack, type PlanDocument, type Step, type Target } from './planDocument'

/** Why the gate says what it says, by one who has a say. */
export interface GateReason {
  judge: string
  code: string
  verdict: string
  message: string
}

/** What one guard says. */
export interface GateGuard {
  guard: string
  verdict: string
  message: string
  until?: string
}

/** Who would have to approve. */
export interface GateApproval {
  tier: string
  roles: string[]
  votes: number
  seconds: number
}

/** What the gate would say to a request, and what would be done. */
export interface WouldHappen {
  verdict: string
  tier?: string
  score?: number
  reasons: GateReason[]
  guards: GateGuard[]
  approval?: GateApproval
  plan: PlanDocument
}

interface Evaluated {
  verdict: string
  reasons: unknown
  guards: unknown
  approval?: unknown
  risk: unknown
  plan: unknown
}

/** Reads an evaluation as `POST /intents/evaluate` answers it. */
export function readWouldHappen(evaluated: Evaluated): WouldHappen {
  const assessment = asRecord(asRecord(evaluated.risk).assessment)
  return {
    verdict: evaluated.verdict,
    tier: asText(assessment.tier),
    score: numberOf(assessment.score),
    reasons: asList(evaluated.reasons).map(readReason),
    guards: asList(evaluated.guards).map(readGuard),
    approval: readApproval(evaluated.approval),
    plan: readPlan(evaluated.plan),
  }
}

/** Exact numbers come as texts. */
function numberOf(value: unknown): number | undefined {
  return asNumber(value) ?? asNumber(Number.parseFloat(asText(value) ?? ''))
}

function readReason(value: unknown): GateReason {
  const reason = asRecord(value)
  return {
    judge: asText(reason.judge) ?? '',
    code: asText(reason.code) ?? '',
    verdict: asText(reason.verdict) ?? '',
    message: asText(reason.message) ?? '',
  }
}

function readGuard(value: unknown): GateGuard {
  const guard = asRecord(value)
  return {
    guard: asText(guard.guard) ?? '',
    verdict: asText(guard.verdict) ?? '',
    message: asText(guard.message) ?? '',
    until: asText(guard.until),
  }
}

function readApproval(value: unknown): GateApproval | undefined {
  const approval = asRecord(value)
  const votes = asNumber(approval.min_votes)
  if (votes === undefined) return undefined
  return {
    tier: asText(approval.tier) ?? '', roles: asTexts(approval.roles), votes, seconds: asNumber(approval.ttl_s) ?? 0,
  }
}

/** A target as nobody takes it for another, as names alone do not say: `web-1 (prod, 10.0.0.11)`. */
export function called({ name, id, environment, host }: Pick<Target, 'name' | 'id' | 'environment' | 'host'>): string {
  const where = [environment, host].filter((word) => word !== '').join(', ')
  return where ? `${name || id} (${where})` : name || id
}

/** Whether a step that changes something can be undone, in words; nothing for one that changes nothing. */
export function undoing(step: Step): string | undefined {
  const { undone, final } = wayBack({ steps: [step] })
  if (undone.length > 0) return 'can be undone'
  if (final.length === 0) return undefined
  const some = Object.keys(step.scripts).some((id) => step.undo[id] !== undefined)
  return some ? 'can be undone on some targets alone' : 'cannot be undone'
}
