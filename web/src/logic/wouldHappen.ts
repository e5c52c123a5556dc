import { asList, asNumber, asRecord, asText, asTexts } from './loose'

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

/** A step of a plan, with its command as it would run on each target. */
export interface PlannedStep {
  order: number
  name: string
  description?: string
  stage: string
  action: string
  semantics: string
  commands: { target: string; script: string }[]
  undoable: boolean
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
  targets: string[]
  steps: PlannedStep[]
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
  const plan = asRecord(evaluated.plan)
  const targets = new Map<string, string>()
  for (const one of asList(plan.targets)) {
    const target = asRecord(one)
    const id = asText(target.resource_id)
    if (id) targets.set(id, asText(target.name) ?? id)
  }
  const assessment = asRecord(asRecord(evaluated.risk).assessment)
  return {
    verdict: evaluated.verdict,
    tier: asText(assessment.tier),
    score: numberOf(assessment.score),
    reasons: asList(evaluated.reasons).map(readReason),
    guards: asList(evaluated.guards).map(readGuard),
    approval: readApproval(evaluated.approval),
    targets: [...targets.values()],
    steps: asList(plan.steps).map((step) => readStep(step, targets)),
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

function readStep(value: unknown, targets: Map<string, string>): PlannedStep {
  const step = asRecord(value)
  const scripts = Object.entries(asRecord(step.scripts))
  return {
    order: asNumber(step.order) ?? 0,
    name: asText(step.name) ?? '',
    description: asText(step.description),
    stage: asText(step.stage) ?? '',
    action: asText(step.action) ?? '',
    semantics: asText(step.semantics) ?? '',
    commands: scripts.map(([id, script]) => ({ target: targets.get(id) ?? id, script: scriptText(script) })),
    undoable: Object.keys(asRecord(step.undo)).length > 0,
  }
}

/** A script for people: values that are known only while it runs stand as `<steps.check.stdout>`. */
export function scriptText(value: unknown): string {
  return asList(value).map((segment) => {
    const { text, slot } = asRecord(segment)
    return typeof text === 'string' ? text : `<${asText(asRecord(slot).name) ?? 'a value'}>`
  }).join('')
}

/** The same command on several targets is shown once, with all of them. */
export function sameCommands(commands: { target: string; script: string }[]): { targets: string[]; script: string }[] {
  const by = new Map<string, string[]>()
  for (const { target, script } of commands) by.set(script, [...(by.get(script) ?? []), target])
  return [...by].map(([script, targets]) => ({ targets: targets.sort(), script }))
}
